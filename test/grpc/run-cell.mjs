// Runs cell.cjs in a process of its own.
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const folder = fileURLToPath(new URL('./', import.meta.url))
/** A cell that has not ended after so many milliseconds hangs. */
const LIMIT_MS = 1_800_000

/** Ports that were free a moment ago. */
export async function freePorts(count) {
  const servers = await Promise.all(
    Array.from({ length: count }, () => {
      const server = createServer()
      return new Promise(resolve => server.listen(0, '127.0.0.1', () => resolve(server)))
    }),
  )
  const ports = servers.map(server => server.address().port)
  await Promise.all(servers.map(server => new Promise(resolve => server.close(resolve))))
  return ports
}

/** @returns the lines of the cell, and how it ended */
export async function runCell({ node, stack, way, version, calls, control }) {
  const ports = await freePorts(4)
  const home = mkdtempSync(join(tmpdir(), 'laneway-grpc-'))
  try {
    const [bBase, bGray, cBase, cGray] = ports
    const service = (base, gray) => [
      { host: '127.0.0.1', port: base },
      { host: '127.0.0.1', port: gray, tags: ['gray'] },
    ]
    const file = join(home, 'endpoints.json')
    writeFileSync(file, JSON.stringify({ services: { 'sc-b': service(bBase, bGray), 'sc-c': service(cBase, cGray) } }))
    const env = {
      ...process.env,
      STACK: stack,
      WAY: way,
      CALLS: String(calls),
      PORTS: JSON.stringify(ports),
      GRPC_VERSION: version,
      ...(control && { CONTROL: '1' }),
      ...(way === 'register' && { LANEWAY_ENDPOINTS_FILE: file, LANEWAY_SERVICES: 'sc-b,sc-c' }),
      // On a busy machine a connection takes its time, and base is no answer here.
      LANEWAY_CONNECT_TIMEOUT_MS: '60000',
      ...(way === 'register' && control && { LANEWAY_DISABLE: 'grpc' }),
    }
    delete env.NODE_OPTIONS
    const flags = ['--require', join(folder, 'versions.cjs')]
    if (way === 'register') flags.push('--import', '@laneway/register')
    return await new Promise(resolve => {
      const child = spawn(node, [...flags, join(folder, 'cell.cjs')], {
        cwd: folder,
        env,
        stdio: ['ignore', 'pipe', 'pipe'],
      })
      let out = ''
      let errors = ''
      const timer = setTimeout(() => child.kill('SIGKILL'), LIMIT_MS)
      child.stdout.on('data', chunk => (out += chunk))
      child.stderr.on('data', chunk => (errors += chunk))
      child.once('close', (code, signal) => {
        clearTimeout(timer)
        const lines = out
          .split('\n')
          .filter(line => line.startsWith('{'))
          .map(line => JSON.parse(line))
        resolve({ lines, code: signal ?? code, errors })
      })
    })
  } finally {
    rmSync(home, { recursive: true, force: true })
  }
}
