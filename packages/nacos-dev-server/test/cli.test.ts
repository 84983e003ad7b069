import { spawn } from 'node:child_process'
import { once } from 'node:events'
import t from 'tap'
import { runCli } from '../src/cli.js'
import { Peer } from './peer.js'

async function run(...args: string[]): Promise<{ code: number; out: string; error: string }> {
  let out = ''
  let error = ''
  const code = await runCli(args, {
    write: text => {
      out += text
    },
    writeError: text => {
      error += text
    },
    ended: Promise.resolve(),
  })
  return { code, out, error }
}

t.test('help names every option and says what the server is not', async t => {
  const { code, out } = await run('--help')
  t.equal(code, 0)
  for (const option of ['--port', '--host', '--dialect', '--push-delay', '--user', '--verbose']) t.match(out, option)
  t.match(out, 'It is no Nacos')
})

t.test('one line says that it is ready, where, and what it is not', async t => {
  const { code, out } = await run('--port', '0', '--dialect', '2.5.0')
  t.equal(code, 0)
  t.match(out, /^ready http=127\.0\.0\.1:\d+ grpc=127\.0\.0\.1:\d+ \(in memory, like Nacos 2\.5\.0, but no Nacos\)\n$/)
})

t.test('wrong usage ends with 2 and a message', async t => {
  const cases: [args: string[], message: RegExp][] = [
    [['--port', 'eighty'], /--port must be a whole number, got "eighty"/],
    [['--port', '70000'], /port must be 0 or 1\.\.64535/],
    [['--push-delay', '-1'], /--push-delay/],
    [['--dialect', '1.4'], /dialect must be one of/],
    [['--user', 'nacos'], /--user must be name:password/],
    [['--prot', '1'], /--prot/],
    [['8848'], /8848/],
  ]
  for (const [args, message] of cases) {
    const { code, error } = await run(...args)
    t.equal(code, 2, args.join(' '))
    t.match(error, message)
    t.match(error, 'Try --help')
  }
})

t.test('a port that is taken ends with 1', async t => {
  const holder = spawn(process.execPath, [
    '-e',
    'require("net").createServer().listen(0, "127.0.0.1", function () { console.log(this.address().port) })',
  ])
  t.teardown(() => holder.kill())
  const [port] = await once(holder.stdout, 'data')
  const { code, error } = await run('--port', String(port).trim())
  t.equal(code, 1)
  t.match(error, /cannot listen on 127\.0\.0\.1:\d+: the port is taken/)
})

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  t.test(`${signal} ends the process with 0 although a client is connected`, async t => {
    const args = [
      '--import',
      'tsx',
      '--conditions=@laneway/source',
      'packages/nacos-dev-server/src/bin.ts',
      '--port',
      '0',
    ]
    const child = spawn(process.execPath, args, {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: { ...process.env, NODE_OPTIONS: '' },
    })
    t.teardown(() => child.kill('SIGKILL'))
    const ended = once(child, 'exit')
    const [line] = await once(child.stdout, 'data')
    const peer = await Peer.setUp(/grpc=(\S+)/.exec(String(line))?.[1] ?? '')
    t.teardown(() => peer.close())
    child.kill(signal)
    t.same(await ended, [0, null])
  })
}
