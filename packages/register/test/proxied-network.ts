import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import http, { type RequestListener } from 'node:http'
import https from 'node:https'
import net from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { listen } from '@laneway/testkit'
import { cert, key } from '@laneway/testkit/certificate'
import type { Test } from 'tap'
import { type App, ask } from './start-app.js'

export const CLIENTS = ['get', 'axios', 'got']

/** Calls services and third parties with one client, in a lane, in base, and with a tag set by hand. */
export async function judge(t: Test, network: Network, app: App, client: string, agent = 'none') {
  const call = (url: string, tag?: string, hand?: string) => {
    const asked = new URLSearchParams({ client, agent, url, ...(hand !== undefined && { hand }) })
    return ask(`${app.url}/?${asked}`, tag)
  }
  network.forget()
  t.equal(await call('http://svc/', 'gray'), 'gray[gray]', `${client}: a service in the lane`)
  t.equal(await call('http://svc/'), 'base[]', `${client}: a service without a lane`)
  t.equal(await call('https://sc-b/', 'gray'), 'safe gray[gray]', `${client}: a service by https`)
  t.strictSame(network.asked, [], `${client}: the proxy is not asked for services`)
  for (const protocol of ['http', 'https']) {
    const third = protocol === 'http' ? 'third' : 'safe third'
    const url = `${protocol}://third.example/`
    t.equal(await call(url, 'gray'), `${third}[]`, `${client}: a third party by ${protocol}`)
    t.equal(await call(url, undefined, 'gray'), `${third}[]`, `${client}: a tag set by hand, by ${protocol}`)
  }
  t.strictSame(
    network.asked.filter(one => !one.endsWith('third.example [undefined]')),
    [],
    `${client}: and it never sees a tag`,
  )
}

export interface Network {
  readonly environment: Record<string, string>
  readonly proxy: string
  readonly services: Record<string, readonly { readonly port: number; readonly tags: readonly string[] }[]>
  /** What the proxy was asked: method, host, tag. */
  readonly asked: string[]
  forget(): void
}

/** The services `svc` (http) and `sc-b` (https), a third party of both kinds, and a proxy that leads to it. */
export async function startNetwork(t: Test): Promise<Network> {
  const answer =
    (name: string): RequestListener =>
    (req, res) => {
      const tags = req.rawHeaders.filter((_, index) => req.rawHeaders[index - 1]?.toLowerCase() === 'x-mse-tag')
      res.end(`${name}[${tags.join()}]`)
    }
  const plain = (name: string) => listen(t, http.createServer(answer(name)))
  const safe = (name: string) => listen(t, https.createServer({ key, cert }, answer(`safe ${name}`)))
  const third = { 80: await plain('third'), 443: await safe('third') }
  const services = {
    svc: [
      { host: '127.0.0.1', port: await plain('base'), tags: [] },
      { host: '127.0.0.1', port: await plain('gray'), tags: ['gray'] },
    ],
    'sc-b': [
      { host: '127.0.0.1', port: await safe('base'), tags: [] },
      { host: '127.0.0.1', port: await safe('gray'), tags: ['gray'] },
    ],
  }
  const folder = mkdtempSync(join(tmpdir(), 'laneway-register-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  const file = join(folder, 'endpoints.json')
  writeFileSync(file, JSON.stringify({ services }))

  const asked: string[] = []
  const note = (request: http.IncomingMessage, host: string) => {
    asked.push(`${request.method} ${host} [${request.headers['x-mse-tag']}]`)
  }
  const proxy = http.createServer((request, response) => {
    const { hostname, pathname } = new URL(request.url ?? '')
    note(request, hostname)
    const { method, headers } = request
    http.get({ host: '127.0.0.1', port: third[80], path: pathname, method, headers }, answered => {
      response.writeHead(answered.statusCode ?? 0)
      answered.pipe(response)
    })
  })
  proxy.on('connect', (request, socket) => {
    const [hostname = '', port] = (request.url ?? '').split(':')
    note(request, hostname)
    const onward = net.connect(port === '443' ? third[443] : third[80], '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 OK\r\n\r\n')
      socket.pipe(onward).pipe(socket)
    })
    for (const end of [onward, socket]) {
      end.on('error', () => {})
      t.teardown(() => end.destroy())
    }
  })
  return {
    environment: {
      LANEWAY_ENDPOINTS_FILE: file,
      LANEWAY_SERVICES: 'svc,sc-b',
      // The names of the certificate are not the subject here.
      NODE_TLS_REJECT_UNAUTHORIZED: '0',
    },
    proxy: `http://127.0.0.1:${await listen(t, proxy)}`,
    services,
    asked,
    forget() {
      asked.length = 0
    },
  }
}
