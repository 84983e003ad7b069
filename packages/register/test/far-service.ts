import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Test } from './start-app.js'

/** A service `svc` with an instance in base and one in gray; each answers with its name and the tags it got. */
export async function startFarService(t: Test) {
  const folder = mkdtempSync(join(tmpdir(), 'laneway-register-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  const answer =
    (name: string): RequestListener =>
    (req, res) => {
      const tags = req.rawHeaders.filter((_, index) => req.rawHeaders[index - 1]?.toLowerCase() === 'x-mse-tag')
      res.end(`${name}[${tags.join()}]`)
    }
  const base = await listen(t, answer('base'))
  const gray = await listen(t, answer('gray'))
  const file = join(folder, 'endpoints.json')
  const endpoint = (port: number, tags: string[]) => ({ host: '127.0.0.1', port, tags })
  writeFileSync(file, JSON.stringify({ services: { svc: [endpoint(base, []), endpoint(gray, ['gray'])] } }))
  return { folder, base, gray, environment: { LANEWAY_ENDPOINTS_FILE: file, LANEWAY_SERVICES: 'svc' } }
}

function listen(t: Test, listener: RequestListener): Promise<number> {
  const server = createServer(listener)
  server.keepAliveTimeout = 60_000
  t.teardown(() => {
    server.close()
    server.closeAllConnections()
  })
  return new Promise(resolve => {
    server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port))
  })
}
