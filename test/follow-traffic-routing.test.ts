import { spawn } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { compileRules, parseRules } from '@laneway/rules'
import t from 'tap'
import { objectOf } from './walkthrough/manifests.js'

const PROGRAM = 'examples/end-to-end-canary/docker/gateway/follow-traffic-routing.js'
const PATH = '/apis/rollouts.kruise.io/v1alpha1/namespaces/laneway-demo/trafficroutings/lane-traffic'

/** An API server with one object, that tells what it was asked. */
async function apiServer(t: any) {
  const state: { status: number; body: unknown; asked: string[] } = { status: 200, body: {}, asked: [] }
  const waiting: (() => void)[] = []
  const server = createServer((req, res) => {
    state.asked.push(`${req.method} ${req.url} ${req.headers.authorization}`)
    res.writeHead(state.status, { 'content-type': 'application/json' }).end(JSON.stringify(state.body))
    for (const resolve of waiting.splice(0)) resolve()
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  const asked = () => new Promise<void>(resolve => waiting.push(resolve))
  return { state, asked, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` }
}

function start(t: any, url: string, ...flags: string[]) {
  const folder = t.testdir({ token: 'secret\n' })
  const file = join(folder, 'rules.yaml')
  const child = spawn(process.execPath, [PROGRAM, 'lane-traffic', file, ...flags], {
    env: {
      ...process.env,
      API_SERVER: url,
      NAMESPACE: 'laneway-demo',
      TOKEN_FILE: join(folder, 'token'),
      INTERVAL_MS: '10',
    },
  })
  t.teardown(() => child.kill('SIGKILL'))
  let output = ''
  const listeners: (() => void)[] = []
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', chunk => {
      output += chunk
      for (const listener of listeners) listener()
    })
  }
  const says = (text: string) =>
    new Promise<void>(resolve => {
      const look = () => output.includes(text) && resolve()
      listeners.push(look)
      look()
    })
  const gone = new Promise<number | null>(resolve => child.on('exit', resolve))
  return { folder, file, says, gone, rules: () => parseRules(readFileSync(file, 'utf8'), { weightKey: 'random' }) }
}

const routing = objectOf('laneway-gateway', 'TrafficRouting', 'lane-traffic')
const xiaoming = { headers: { 'user-agent': 'xiaoming' } }
const inPhase = (phase: string) => ({ ...routing, status: { phase } })

t.test('colours while a release is in progress, and only then', async t => {
  const { state, url } = await apiServer(t)
  state.body = inPhase('Healthy')
  const { says, rules } = start(t, url)
  await says('no release in progress\n')
  t.equal(rules().laneOf(xiaoming), undefined)
  state.body = inPhase('Progressing')
  await says('colouring by lane-traffic\n')
  t.equal(rules().laneOf(xiaoming)?.header, 'gray')
  t.equal(rules().laneOf({ headers: { 'user-agent': 'curl' } }), undefined)
  state.body = inPhase('Finalizing')
  await says('colouring by lane-traffic\nno release in progress\n')
  t.equal(rules().laneOf(xiaoming), undefined)
  t.strictSame([...new Set(state.asked)], [`GET ${PATH} Bearer secret`])
})

t.test('a weight is followed as well', async t => {
  const { state, url } = await apiServer(t)
  state.body = inPhase('Progressing')
  const { file, says } = start(t, url)
  await says('colouring by lane-traffic\n')
  const half = objectOf('laneway-gateway/half-of-requests', 'TrafficRouting', 'lane-traffic')
  state.body = { ...half, status: { phase: 'Progressing' } }
  await says('colouring by lane-traffic\ncolouring by lane-traffic\n')
  const { laneOf } = compileRules(JSON.parse(readFileSync(file, 'utf8')), { weightKey: [{ cookie: 'uid' }] })
  const lanes = Array.from({ length: 200 }, (_, uid) => laneOf({ headers: { cookie: `uid=${uid}` } })?.header)
  t.strictSame([...new Set(lanes)].sort(), ['gray', undefined])
})

t.test('a token that was replaced is used', async t => {
  const { state, asked, url } = await apiServer(t)
  state.body = inPhase('Healthy')
  const { folder, says } = start(t, url)
  await says('no release')
  writeFileSync(join(folder, 'token'), 'renewed')
  while (!state.asked.at(-1)?.endsWith('Bearer renewed')) await asked()
  t.pass()
})

t.test('without an API server the last file stays, and the problem is reported once', async t => {
  const { state, asked, url } = await apiServer(t)
  state.body = inPhase('Progressing')
  const { says, rules } = start(t, url)
  await says('colouring')
  state.status = 403
  state.body = { message: 'forbidden' }
  await says('403 {"message":"forbidden"}\n')
  for (let count = 0; count < 3; count++) await asked()
  t.equal(rules().laneOf(xiaoming)?.header, 'gray')
  state.status = 404
  await says('no release in progress')
  t.equal(rules().laneOf(xiaoming), undefined, 'a TrafficRouting that is gone colours nobody')
})

t.test('once: ends when the file is there, and waits for an API server until then', async t => {
  const { state, asked, url } = await apiServer(t)
  state.status = 503
  const { says, gone, rules } = start(t, url, '--once')
  await asked()
  await says('503')
  state.status = 200
  state.body = inPhase('Progressing')
  t.equal(await gone, 0)
  t.equal(rules().laneOf(xiaoming)?.header, 'gray')
})
