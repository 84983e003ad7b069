import { readFileSync } from 'node:fs'
import t from 'tap'
import { createCluster } from '../src/cluster/cluster.js'
import { apply } from '../src/commands/apply.js'
import { config } from '../src/commands/config.js'
import { wrap } from '../src/commands/table.js'
import { fakePods } from './fake-pods.js'
import { manifestsOf } from './play-cluster.js'
import { VirtualClock } from './virtual-clock.js'

const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8')

/** What the README prints below a command. */
function printed(command: string): string[] {
  const [, output = ''] = readme.split(`$ npm run demo -- ${command}\n`)
  return output.split(/\n\n|\n```/)[0]!.split('\n')
}

t.test('the README prints what apply prints', async t => {
  const clock = new VirtualClock()
  const cluster = createCluster(clock, fakePods(clock), error => {
    throw error
  })
  const lines = apply(cluster, manifestsOf('laneway-gateway'))
  t.strictSame(printed('apply -f examples/end-to-end-canary/k8s/laneway-gateway'), lines)
  t.ok(lines.every(line => line.length <= 100))
})

t.test('the README prints what config prints', async t => {
  const published: string[] = []
  const publish = async (content: string) => {
    published.push(content)
  }
  t.strictSame(printed('config autumn'), [await config({ publish }, 'autumn')])
  t.strictSame(published, ['autumn'])
  for (const wrong of ['', 'a]', 'a b', 'a'.repeat(41)]) await t.rejects(config({ publish }, wrong), /config <content>/)
  await t.rejects(config({ publish: undefined }, 'autumn'), /there is no Nacos in this play/)
})

t.test('a sentence is wrapped at 100 columns', async t => {
  const words = Array.from({ length: 60 }, (_, index) => `word-${index}`)
  const lines = wrap(words.join(' '))
  t.ok(lines.length > 4)
  t.ok(lines.every((line, index) => line.length <= 100 && line.startsWith('  ') === index > 0))
  t.strictSame(lines.join(' ').split(/ +/), words)
})
