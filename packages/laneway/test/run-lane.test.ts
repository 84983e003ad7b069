import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { command, folderWith, laneway, root, start } from './command-line.js'
import { nacosServer } from './nacos-world.js'

const folder = join(root, 'examples/end-to-end-canary')
const { PATH = '', HOME = '' } = process.env

/** Resolves with the match of what a process prints. */
function printed(child: ChildProcess, pattern: RegExp): Promise<RegExpExecArray> {
  return new Promise((resolve, reject) => {
    let text = ''
    for (const stream of [child.stdout, child.stderr]) {
      stream?.on('data', chunk => {
        text += chunk
        const found = pattern.exec(text)
        if (found !== null) resolve(found)
      })
    }
    child.once('exit', code => reject(new Error(`ended with ${code}: ${text}`)))
  })
}

async function baseService(t: Test, name: string, nacos: string): Promise<string> {
  const child = spawn(process.execPath, ['--import', '@laneway/register', `services-plain/${name}.js`], {
    cwd: folder,
    env: { PATH, HOME, LANEWAY_NACOS: nacos, LANEWAY_SERVICE: `sc-${name.toUpperCase()}`, LANEWAY_SHUTDOWN_MS: '500' },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  t.teardown(() => child.kill('SIGKILL'))
  return (await printed(child, /serving on (\d+)/))[1]!
}

/** The laptop of a developer, whose program crashes at SIGUSR2. */
async function laptop(t: Test, lane: string, name: string, nacos: string): Promise<ChildProcess> {
  const service = `sc-${name.toUpperCase()}`
  const options = ['--lane', lane, '--service', service, '--nacos', nacos]
  const program = `process.on('SIGUSR2', () => process.kill(process.pid, 'SIGKILL')); import('./services-plain/${name}.js')`
  const child = start(['run', ...options, '--', process.execPath, '-e', program], {
    folder,
    env: { LANEWAY_SHUTDOWN_MS: '500' },
  })
  t.teardown(() => child.kill('SIGKILL'))
  await printed(
    child,
    new RegExp(`${service} at 127\\.0\\.0\\.1:\\d+ is in lane ${lane}: .*[\\s\\S]*--host names another`),
  )
  return child
}

t.test(
  'two developers join a shared environment: each gets the requests of the own lane, nobody else does',
  async t => {
    const nacos = await nacosServer(t)
    const [port] = await Promise.all(['a', 'b', 'c'].map(name => baseService(t, name, nacos.address)))
    await nacos.until(({ instances }) => ['sc-A', 'sc-B', 'sc-C'].every(service => instances(service).length === 1))
    const way = async (lane: string) => {
      const headers = lane === '' ? {} : { 'x-mse-tag': lane }
      const answer = await fetch(`http://127.0.0.1:${port}/a`, { headers })
      return `${answer.status} ${(await answer.text()).replaceAll(/\[.*?\]/g, '')}`
    }
    /** The ways of fifty requests for each lane, all at once. */
    const ways = async (lanes: readonly string[]) => {
      const all = lanes.map(async lane => [
        lane,
        new Set(await Promise.all(Array.from({ length: 50 }, () => way(lane)))),
      ])
      return Object.fromEntries((await Promise.all(all)) as [string, Set<string>][])
    }
    const base = new Set(['200 A -> B -> C'])

    const alice = await laptop(t, 'alice', 'b', nacos.address)
    const bob = await laptop(t, 'bob', 'c', nacos.address)
    const both = {
      '': base,
      carol: base,
      alice: new Set(['200 A -> Balice -> C']),
      bob: new Set(['200 A -> B -> Cbob']),
    }
    t.strictSame(await ways(Object.keys(both)), both)

    let isLeaving = true
    const seen = new Set<string>()
    const load = (async () => {
      while (isLeaving)
        for (const one of await Promise.all(Array.from({ length: 10 }, () => way('alice')))) seen.add(one)
    })()
    const ended = once(alice, 'exit')
    alice.kill('SIGINT')
    t.strictSame(await ended, [null, 'SIGINT'])
    isLeaving = false
    await load
    t.equal(nacos.instances('sc-B').length, 1, 'it is deregistered')
    t.strictSame([...seen].sort(), ['200 A -> B -> C', '200 A -> Balice -> C'], 'no request fails while it leaves')
    t.strictSame(await ways(['', 'alice', 'bob']), { '': base, alice: base, bob: both.bob })

    const crashed = once(bob, 'exit')
    bob.kill('SIGUSR2')
    t.strictSame(await crashed, [null, 'SIGKILL'])
    t.strictSame(await ways(['', 'bob']), { '': base, bob: base }, 'base serves the lane of a program that crashed')
    await nacos.until(({ instances }) => instances('sc-C').length === 1)
  },
)

t.test('what keeps a machine from joining is said before the program starts', async t => {
  const nacos = await nacosServer(t)
  const folder = folderWith(t, {})
  const registry = ['--nacos', nacos.address]
  const service = ['--service', 'orders']
  for (const [args, code, said] of [
    [['--lane', 'base', ...service, ...registry], 2, /--lane takes one tag, such as alice or pr-123, received "base"/],
    [['--lane', 'a,b', ...service, ...registry], 2, /--lane takes one tag/],
    [['--lane', 'alice', ...registry], 2, /which service does this program stand in for\?/],
    [['--lane', 'alice', ...service], 2, /no registry to join: give --nacos/],
    [service, 2, /--service belongs to --lane/],
    [
      ['--lane', 'alice', ...service, '--nacos', '127.0.0.1:1'],
      3,
      /Nacos 127\.0\.0\.1:1 does not answer: .*ECONNREFUSED/,
    ],
  ] as const) {
    const ended = await command(['run', ...args, '--', 'no-such-program'], { folder })
    t.match(ended.stderr, said)
    t.equal(ended.code, code, String(said))
  }
  const alone = await laneway(['run', '--lane', 'alice', ...service, ...registry, '--', 'no-such-program'], { folder })
  t.match(alone.stderr, /nobody else serves orders as base: is that its name\?[\s\S]*no-such-program cannot be started/)
})

t.test('a program that listens on loopback alone is not what callers reach', async t => {
  const nacos = await nacosServer(t)
  // TEST-NET-1 of RFC 5737: nobody has this address.
  const options = ['--lane', 'alice', '--service', 'orders', '--host', '192.0.2.1', '--nacos', nacos.address]
  const program = "require('http').createServer().listen(0, '127.0.0.1')"
  const child = start(['run', ...options, '--', process.execPath, '-e', program], {
    folder,
    env: { LANEWAY_SHUTDOWN_MS: '500' },
  })
  t.teardown(() => child.kill('SIGKILL'))
  await printed(child, /registered at 192\.0\.2\.1:\d+ in lane alice, but nothing answers there .*--host/)
  t.match(nacos.instances('orders'), [{ ip: '192.0.2.1' }])
  const ended = once(child, 'exit')
  child.kill('SIGTERM')
  await ended
  t.strictSame(nacos.instances('orders'), [])
})
