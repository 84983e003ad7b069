// Proxies that choose the server of a lane by the header, as a sidecar does: checks the servers, falls back to base.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

export type ProxyName = 'haproxy' | 'nginx'

/** Where requests go: with the tag `gray` to `gray` while that answers, all others to `base`. */
export interface Route {
  readonly base: number
  readonly gray?: number
  /** As an entrance: no tag is taken from outside, this user agent gets `gray`, and each request has a line in a log. */
  readonly agent?: string
}

export interface RunningProxy {
  readonly port: number
  /** Of all its processes. */
  readonly pids: readonly number[]
  /** Of its access log. */
  lines(): number
  close(): Promise<void>
}

/** Why a row with this program cannot run, or undefined. */
export function missing(program: ProxyName): string | undefined {
  const flag = program === 'nginx' ? '-v' : '-vv'
  return spawnSync(program, [flag]).status === 0 ? undefined : `${program} is not on the PATH (Debian: ${program})`
}

export async function startProxy(program: ProxyName, route: Route): Promise<RunningProxy> {
  const folder = mkdtempSync(join(tmpdir(), 'laneway-proxy-'))
  const port = await freePort()
  const file = join(folder, 'conf')
  writeFileSync(file, program === 'haproxy' ? haproxy(port, route) : nginx(port, route, folder))
  const args = program === 'haproxy' ? ['-db', '-f', file] : ['-p', folder, '-c', file]
  const log = join(folder, 'access.log')
  const errors = join(folder, 'stderr')
  const files = [log, errors].map(name => openSync(name, 'a'))
  const child = spawn(program, args, { stdio: ['ignore', ...files] })
  for (const one of files) closeSync(one)
  if (!(await isOpen(port, child))) throw new Error(`${program} opens no port: ${readFileSync(errors, 'utf8')}`)
  return {
    port,
    pids: [child.pid!, ...childrenOf(child.pid!)],
    lines: () => readFileSync(log, 'latin1').split('HTTP/1.1').length - 1,
    async close() {
      const gone = once(child, 'exit')
      child.kill()
      await gone
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

function haproxy(port: number, { base, gray, agent }: Route): string {
  const backend = (name: string, server: number) =>
    `backend ${name}\n  option httpchk GET /health\n  server s 127.0.0.1:${server} check inter 2s\n`
  const toGray =
    gray === undefined ? '' : '  use_backend gray if { req.hdr(x-mse-tag) -m str gray } { nbsrv(gray) gt 0 }\n'
  const entrance =
    agent === undefined
      ? ''
      : `  log stdout format raw local0
  option httplog
  http-request del-header x-mse-tag
  http-request set-header x-mse-tag gray if { req.hdr(user-agent) -m str ${agent} }
`
  return `global
  nbthread 1
  maxconn 2000
defaults
  mode http
  http-reuse always
  timeout connect 2s
  timeout client 60s
  timeout server 60s
frontend in
  bind 127.0.0.1:${port}
${entrance}${toGray}  default_backend base
${backend('base', base)}${gray === undefined ? '' : backend('gray', gray)}`
}

/** Its free edition has no active checks: a server that fails is left out for a while, and base takes over. */
function nginx(port: number, { base, gray, agent }: Route, folder: string): string {
  const keptOpen = '    keepalive 64;\n    keepalive_requests 1000000;\n'
  const ofGray = gray ?? base
  const isEntrance = agent !== undefined
  const tag = isEntrance ? '$decided' : '$http_x_mse_tag'
  return `worker_processes 1;
daemon off;
pid ${folder}/pid;
error_log ${folder}/error.log;
events { worker_connections 2000; }
http {
  access_log ${isEntrance ? `${folder}/access.log` : 'off'};
  client_body_temp_path ${folder};
  proxy_temp_path ${folder};
  fastcgi_temp_path ${folder};
  uwsgi_temp_path ${folder};
  scgi_temp_path ${folder};
  keepalive_requests 1000000;
${isEntrance ? `  map $http_user_agent $decided { default ""; ${agent} gray; }\n` : ''}  map ${tag} $group { default base; gray gray; }
  upstream base {
    server 127.0.0.1:${base};
${keptOpen}  }
  upstream gray {
    server 127.0.0.1:${ofGray};
    server 127.0.0.1:${base} backup;
${keptOpen}  }
  server {
    listen 127.0.0.1:${port};
    location / {
      proxy_pass http://$group;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_set_header Host $host;
${isEntrance ? `      proxy_set_header x-mse-tag ${tag};\n` : ''}    }
  }
}
`
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  server.close()
  await once(server, 'close')
  return port
}

async function isOpen(port: number, child: ChildProcess): Promise<boolean> {
  for (let look = 0; look < 200 && child.exitCode === null; look++) {
    const open = await new Promise<boolean>(resolve => {
      const socket = connect(port, '127.0.0.1')
      socket.once('connect', () => resolve(true)).once('error', () => resolve(false))
      socket.once('connect', () => socket.destroy())
    })
    if (open) return true
    await sleep(25)
  }
  child.kill()
  return false
}

function childrenOf(pid: number): number[] {
  const { stdout } = spawnSync('pgrep', ['-P', String(pid)], { encoding: 'utf8' })
  return stdout.split('\n').filter(Boolean).map(Number)
}
