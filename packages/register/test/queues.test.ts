import t, { type Test } from 'tap'
import { ask, program, startApp } from './start-app.js'

const TAGS = ['gray', 'blue', undefined, 'gray']
const SHARED = ['p-queue', 'fastq.push', 'fastq.unshift', 'fastq.promise']

/** The emitter that p-queue descends from, as far as its constructor goes. */
const EMITTER = `
function EventEmitter() { this._events = {} }
EventEmitter.prototype.emit = function emit() {}
EventEmitter.prototype.eventNames = function eventNames() { return Object.keys(this._events) }
module.exports = EventEmitter
`

const folderOf = (t: Test) => t.testdir({ node_modules: { eventemitter3: { 'index.js': EMITTER } } })

t.test('tasks of a shared queue run in the lane of the code that added them', async t => {
  const app = await startApp(t, program('queues.mjs'), { environment: { QUEUES_FOLDER: folderOf(t) } })
  for (const name of SHARED) {
    const seen = await Promise.all(TAGS.map(tag => ask(`${app.url}/${name}`, tag)))
    t.strictSame(
      seen,
      TAGS.map((tag = 'none') => `task ${tag}, then ${tag}`),
      name,
    )
  }
  t.equal(await ask(`${app.url}/forms`), JSON.stringify([...SHARED, 'what waits']))
  const waiting = await Promise.all(TAGS.map(tag => ask(`${app.url}/what%20waits`, tag)))
  t.strictSame(waiting, Array(4).fill('value'), 'what is in a queue looks as it was pushed')
  t.equal(app.output.stderr, '')
})

t.test('switched off by name, the queues are as they were', async t => {
  const environment = { QUEUES_FOLDER: folderOf(t), LANEWAY_DISABLE: 'p-queue,fastq' }
  const app = await startApp(t, program('queues.mjs'), { environment })
  for (const name of ['p-queue', 'fastq.push']) {
    const seen = await Promise.all(TAGS.map(tag => ask(`${app.url}/${name}`, tag)))
    t.notSame(
      seen,
      TAGS.map((tag = 'none') => `task ${tag}, then ${tag}`),
      name,
    )
  }
})
