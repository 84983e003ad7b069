// Four requests at a time share a queue that runs one task after another; each answer tells what the task and the callback saw.
import { createServer } from 'node:http'
import { createRequire } from 'node:module'
import { bindLane, currentLane } from '@laneway/core'

const require = createRequire(import.meta.url)
const fastq = require('fastq')
const Emitter = createRequire(`${process.env['QUEUES_FOLDER']}/`)('eventemitter3')

const lane = () => currentLane()?.header ?? 'none'
const tick = () => new Promise(setImmediate)

/** As p-queue goes about it: its `add` is an async function. */
class Queue extends Emitter {
  #tasks = []
  #running = false

  async add(task) {
    return new Promise(resolve => {
      this.#tasks.push(async () => resolve(await task()))
      if (!this.#running) this.#next()
    })
  }

  async #next() {
    this.#running = true
    for (let task = this.#tasks.shift(); task !== undefined; task = this.#tasks.shift()) await task()
    this.#running = false
  }

  addAll() {}
  onEmpty() {}
  onIdle() {}
}

const queue = new Queue()
const pushed = fastq((text, done) => setImmediate(done, null, `${text} ${lane()}`), 1)
const promised = fastq.promise(async text => {
  await tick()
  return `${text} ${lane()}`
}, 1)

const forms = {
  'p-queue': async () => {
    const seen = await queue.add(async () => {
      await tick()
      return `task ${lane()}`
    })
    return `${seen}, then ${lane()}`
  },
  'fastq.push': () => new Promise(resolve => pushed.push('task', (_error, seen) => resolve(`${seen}, then ${lane()}`))),
  'fastq.unshift': () =>
    new Promise(resolve => pushed.unshift('task', (_error, seen) => resolve(`${seen}, then ${lane()}`))),
  'fastq.promise': async () => `${await promised.push('task')}, then ${lane()}`,
  'what waits': async () => {
    pushed.pause()
    pushed.push('value')
    const waiting = pushed.getQueue()
    pushed.kill()
    pushed.resume()
    return waiting.join()
  },
}

const waiting = []
createServer((req, res) => {
  const form = forms[decodeURIComponent(req.url.slice(1))]
  if (form === undefined) return res.end(JSON.stringify(Object.keys(forms)))
  waiting.push(bindLane(async () => res.end(await form())))
  // All at once, so that tasks wait.
  if (waiting.length === 4) for (const start of waiting.splice(0)) start()
}).listen(0, '127.0.0.1', function listening() {
  console.log(`serving on ${this.address().port}`)
})
