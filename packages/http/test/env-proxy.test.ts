import { execFile } from 'node:child_process'
import net from 'node:net'
import { fileURLToPath } from 'node:url'
import { cert } from '@laneway/testkit/certificate'
import t from 'tap'
import { farServer } from './far-server.js'

const skip = process.version.startsWith('v20.') && 'Node 20 has neither'

t.test(
  'NODE_USE_ENV_PROXY and proxyEnv, http.get, axios and got: services bypass the proxy, third parties get no tag',
  { skip },
  async t => {
    const gray = await farServer(t)
    const secure = await farServer(t, undefined, true)
    const proxy = await farServer(t)
    const tunnels: string[] = []
    proxy.server.on('connect', (request, socket) => {
      tunnels.push(`${request.url} ${request.headers['x-mse-tag']}`)
      const onward = net.connect(secure.port, '127.0.0.1', () => {
        socket.write('HTTP/1.1 200 OK\r\n\r\n')
        socket.pipe(onward).pipe(socket)
      })
      onward.on('error', () => socket.destroy())
      socket.on('error', () => onward.destroy())
    })
    const env = {
      NODE_USE_ENV_PROXY: '1',
      HTTP_PROXY: `http://user:secret@127.0.0.1:${proxy.port}`,
      HTTPS_PROXY: `http://127.0.0.1:${proxy.port}`,
      GRAY: String(gray.port),
      SECURE: String(secure.port),
      CERT: cert,
    }
    const answer = JSON.parse(await run('env-proxy.ts', env))
    t.strictSame(answer, { status: Array.from({ length: 12 }, () => 200) })
    t.strictSame(
      gray.seen.map(one => `${one.url} ${one.host} ${one.tags}`),
      ['/b?c=d sc-b gray', '/axios sc-b gray', '/got sc-b gray'],
    )
    t.equal(
      gray.seen[0]?.rawHeaders.some(name => /^proxy-/i.test(name)),
      false,
    )
    t.strictSame(
      proxy.seen.map(one => `${one.url} ${one.tags}`),
      ['http://third.example/ ', 'http://third.example/axios ', 'http://third.example/got '],
    )
    t.strictSame([...new Set(tunnels)], ['localhost:443 undefined'], 'only what is no service goes through a tunnel')
    t.strictSame(
      secure.seen.map(one => `${one.host} ${one.tags} ${one.servername}`),
      ['', 'axios', 'got'].flatMap(() => ['sc-b gray sc-b', 'localhost gray localhost']),
    )
  },
)

function run(program: string, env: Record<string, string>): Promise<string> {
  const file = fileURLToPath(new URL(`./programs/${program}`, import.meta.url))
  const args = ['--import', 'tsx', '--conditions=@laneway/source', file]
  return new Promise((resolve, reject) => {
    const options = { env: { ...process.env, NODE_OPTIONS: '', ...env }, timeout: 300_000 }
    execFile(process.execPath, args, options, (error, stdout, stderr) =>
      error === null ? resolve(stdout) : reject(new Error(stderr)),
    )
  })
}
