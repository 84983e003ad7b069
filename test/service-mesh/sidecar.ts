import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

interface Tap {
  teardown(fn: () => unknown): void
}

/** How a sidecar is set up. */
export interface SidecarOptions {
  /** Addresses that a program calls, and that the sidecar takes over, whatever they are. */
  readonly ports: readonly number[]
  /** The instances of service `sc-b`, by lane. */
  readonly base: readonly number[]
  readonly gray: readonly number[]
  /** Routes by the tag, as a VirtualService with a header match does; else by `Host` only. */
  readonly routesByTag: boolean
}

/** HAProxy in the place of a sidecar: it takes over connections, and the `Host` of a request says where it goes. */
export async function startSidecar(t: Tap, { ports, base, gray, routesByTag }: SidecarOptions): Promise<void> {
  const servers = (list: readonly number[]) => list.map(port => `  server s${port} 127.0.0.1:${port}`).join('\n')
  const config = `
defaults
  mode http
  timeout connect 5s
  timeout client 30s
  timeout server 30s
frontend outbound
${ports.map(port => `  bind 127.0.0.1:${port}`).join('\n')}
  acl is_sc_b hdr(host),field(1,:) -m str -i sc-b
  acl is_gray hdr(x-mse-tag) -m str gray
${routesByTag ? '  use_backend sc_b_gray if is_sc_b is_gray\n  use_backend sc_b_base if is_sc_b' : '  use_backend sc_b if is_sc_b'}
  http-request deny deny_status 404 unless is_sc_b
backend sc_b
  balance roundrobin
${servers([...base, ...gray])}
backend sc_b_base
  balance roundrobin
${servers(base)}
backend sc_b_gray
  balance roundrobin
${servers(gray)}
`
  const folder = mkdtempSync(join(tmpdir(), 'laneway-sidecar-'))
  writeFileSync(join(folder, 'haproxy.cfg'), config)
  const child = spawn('haproxy', ['-db', '-f', join(folder, 'haproxy.cfg')], { stdio: ['ignore', 'ignore', 'pipe'] })
  let output = ''
  child.stderr.on('data', chunk => (output += chunk))
  const ended = new Promise<void>(resolve => child.once('close', () => resolve()))
  t.teardown(async () => {
    child.kill('SIGKILL')
    await ended
    rmSync(folder, { recursive: true, force: true })
  })
  while (!(await accepts(ports[0]!))) {
    if (child.exitCode !== null) throw new Error(`haproxy ended: ${output}`)
    await new Promise(resolve => setTimeout(resolve, 20))
  }
}

/** Ports that are free now. */
export async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer())
  const ports: number[] = []
  for (const server of servers) {
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
    ports.push((server.address() as { port: number }).port)
  }
  for (const server of servers) await new Promise(resolve => server.close(resolve))
  return ports
}

function accepts(port: number): Promise<boolean> {
  return new Promise(resolve => {
    const socket = connect(port, '127.0.0.1')
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => resolve(false))
  })
}
