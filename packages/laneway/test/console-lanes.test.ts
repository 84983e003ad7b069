import { spawn } from 'node:child_process'
import { createServer } from 'node:net'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { command, folderWith, root, start } from './command-line.js'

/** Ports in a row that were free a moment ago. */
async function freeRange(count: number): Promise<number> {
  for (;;) {
    const first = 20_000 + Math.floor(Math.random() * 40_000)
    const servers = Array.from({ length: count }, () => createServer())
    const free = servers.map(
      (server, index) =>
        new Promise<boolean>(resolve => {
          server.once('error', () => resolve(false)).listen(first + index, '127.0.0.1', () => resolve(true))
        }),
    )
    const all = (await Promise.all(free)).every(Boolean)
    await Promise.all(servers.map(server => new Promise(resolve => server.close(resolve))))
    if (all) return first
  }
}

/** An unchanged service; it answers with its lane, or with what the next one answers. */
async function service(t: Test, folder: string, env: Readonly<Record<string, string>>): Promise<number> {
  const child = spawn(process.execPath, ['--import', '@laneway/register', join(folder, 'service.mjs')], {
    cwd: root,
    env: { PATH: process.env['PATH'] ?? '', ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  t.teardown(() => child.kill('SIGKILL'))
  return new Promise(resolve => child.stdout.once('data', chunk => resolve(Number(chunk))))
}

const SERVICE = `import { createServer } from 'node:http'
const server = createServer(async (_request, response) => {
  response.end(process.env.NEXT ? await (await fetch(process.env.NEXT)).text() : process.env.LANEWAY_TAG ?? 'base')
}).listen(0, '127.0.0.1', () => console.log(server.address().port))
`

interface Traffic {
  readonly flows: readonly { readonly from: string; readonly to: string; readonly lane: string }[]
}

t.test('the console draws the calls of unchanged processes from the ports of LANEWAY_LANES', async t => {
  const first = await freeRange(4)
  const ports = `${first}-${first + 3}`
  const folder = folderWith(t, { 'service.mjs': SERVICE, 'users.json': {} })
  const env = (name: string, more = {}) => ({ LANEWAY_SERVICE: name, LANEWAY_LANES: ports, ...more })
  const users = await service(t, folder, env('users'))
  const gray = await service(t, folder, env('users', { LANEWAY_TAG: 'gray' }))
  const host = '127.0.0.1'
  const services = {
    users: [
      { host, port: users },
      { host, port: gray, tags: ['gray'] },
    ],
  }
  const file = join(folderWith(t, { 'endpoints.json': { services } }), 'endpoints.json')
  const orders = await service(t, folder, env('orders', { NEXT: 'http://users', LANEWAY_ENDPOINTS_FILE: file }))

  const child = start(['console', '--file', file, '--lanes-port', ports], { folder })
  t.teardown(() => child.kill('SIGKILL'))
  const url = await new Promise<string>(resolve => {
    child.stdout.once('data', chunk => resolve(/http:\S+/.exec(String(chunk))?.[0] ?? ''))
  })
  const events = await fetch(new URL('events', url))
  let calling = true
  const calls = (async () => {
    while (calling) {
      await fetch(`http://127.0.0.1:${orders}/`, { headers: { 'x-mse-tag': 'gray' } }).then(answer => answer.text())
    }
  })()
  let text = ''
  let flows: Traffic['flows'] = []
  for await (const chunk of events.body!.pipeThrough(new TextDecoderStream())) {
    text += chunk
    for (let end = text.indexOf('\n\n'); end !== -1; end = text.indexOf('\n\n')) {
      const data = /^event: \w+\ndata: (.*)$/s.exec(text.slice(0, end))?.[1] ?? '{}'
      text = text.slice(end + 2)
      flows = (JSON.parse(data) as { traffic?: Traffic | null }).traffic?.flows ?? []
      if (flows.length > 0) break
    }
    if (flows.length > 0) break
  }
  calling = false
  await calls
  t.match(flows, [{ from: 'orders', to: 'users', lane: 'gray', served: 'gray', outcome: 'lane' }])
})

t.test('--lanes-port is a port or a range', async t => {
  for (const wrong of ['0', 'a', '9-8', '9464-', '1-65', '1-2-3']) {
    const { code, stderr } = await command(['console', '--file', 'endpoints.json', '--lanes-port', wrong])
    t.equal(code, 2, wrong)
    t.match(stderr, /--lanes-port/)
  }
})
