// A real Prometheus on loopback: the one on the PATH, else Debian's package, installed when we are root.
import { spawn, spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

const READY_WITHIN_MS = 60_000

/** Why there is no Prometheus, or undefined when there is. */
export function findPrometheus() {
  const there = () => spawnSync('prometheus', ['--version']).status === 0
  if (there()) return undefined
  if (process.getuid?.() !== 0 || spawnSync('apt-get', ['--version']).status !== 0) {
    return 'no prometheus on the PATH, and it can only be installed as root on Debian'
  }
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  for (let attempt = 0; attempt < 3; attempt++) {
    if (attempt > 0) spawnSync('apt-get', ['update', '-qq'], { env })
    const args = ['install', '-y', '-qq', '--no-install-recommends', 'prometheus']
    if (spawnSync('apt-get', args, { env }).status === 0 && there()) return undefined
  }
  return 'prometheus cannot be installed'
}

/** Starts it. Targets are read from `targets/*.json`; it scrapes each second. */
export async function startPrometheus() {
  const dir = mkdtempSync(join(tmpdir(), 'laneway-prometheus-'))
  const targets = join(dir, 'targets')
  mkdirSync(targets)
  writeFileSync(
    join(dir, 'prometheus.yml'),
    `global: { scrape_interval: 1s, scrape_timeout: 1s }
scrape_configs:
  - job_name: services
    file_sd_configs: [{ files: ['${targets}/*.json'], refresh_interval: 1s }]
`,
  )
  const port = await freePort()
  const child = spawn(
    'prometheus',
    [
      `--config.file=${join(dir, 'prometheus.yml')}`,
      `--storage.tsdb.path=${join(dir, 'data')}`,
      `--web.listen-address=127.0.0.1:${port}`,
      '--log.level=warn',
    ],
    { stdio: ['ignore', 'ignore', 'pipe'] },
  )
  let log = ''
  child.stderr.on('data', chunk => {
    log = (log + chunk).slice(-2_000)
  })
  const gone = new Promise(resolve => child.on('close', resolve))
  const url = `http://127.0.0.1:${port}`
  async function stop() {
    child.kill('SIGCONT')
    child.kill('SIGTERM')
    await gone
    rmSync(dir, { recursive: true, force: true })
  }
  const end = Date.now() + READY_WITHIN_MS
  while (
    !(await fetch(`${url}/-/ready`).then(
      answer => answer.ok,
      () => false,
    ))
  ) {
    if (child.exitCode !== null || Date.now() > end) {
      await stop()
      throw new Error(`prometheus does not start: ${log}`)
    }
    await sleep(100)
  }
  return { url, targets, pid: child.pid, stop }
}

function freePort() {
  const server = createServer()
  return new Promise(resolve => {
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address()
      server.close(() => resolve(port))
    })
  })
}
