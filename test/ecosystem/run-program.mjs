// Rows whose service is a program of its own: under a test runner, a loader or a package manager, or as a bundle. The program
// writes its port into a file, and ends when it is asked for /end.
import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import http from 'node:http'
import { join } from 'node:path'
import { drive, requestsOf } from './drive.mjs'
import { libraries } from './install.mjs'
import { groupById } from './judge.mjs'
import { empty } from './run-row.mjs'
import { environmentOf, requireOnly, WAYS } from './ways.mjs'

const START_MS = 60_000
const END_MS = 15_000

/** A row's `program({ way, flags, requireFlags, env, node, folder, libraries })` returns `{ command, args, env, cwd }`. */
export async function runProgram(row, way, { neighbours, node }) {
  const folder = mkdtempSync(join(neighbours.folder, 'program-'))
  const portFile = join(folder, 'port')
  const { flags } = WAYS[way]
  const env = {
    ...environmentOf(way, neighbours.endpointsFile),
    ECOSYSTEM: JSON.stringify({ way, urls: neighbours.urls, instances: neighbours.instances, portFile }),
  }
  let started
  try {
    started = await row.program({ way, flags, requireFlags: requireOnly(flags), env, node, folder, libraries })
  } catch (error) {
    return { ...empty(row, error), end: 'was not built' }
  }
  const child = spawn(started.command, started.args, {
    cwd: started.cwd ?? libraries,
    env: { ...env, ...started.env },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', chunk => (output = (output + chunk).slice(-8000)))
  let ending
  const closed = new Promise(resolve => {
    const end = how => {
      ending = how
      resolve()
    }
    child.on('error', error => end(String(error)))
    child.on('close', (code, signal) => end(signal === null ? `code ${code}` : `signal ${signal}`))
  })
  const kill = () => {
    try {
      process.kill(-child.pid, 'SIGKILL')
    } catch {
      // It has ended.
    }
  }
  try {
    const port = await portOf(portFile, () => ending)
    if (port === undefined)
      throw new Error(`no port within ${START_MS / 1000} s, ${ending ?? 'still running'}\n${output}`)
    const requests = requestsOf(row)
    neighbours.forget()
    const answers = await drive(row, requests, port)
    const hits = neighbours.forget()
    await askToEnd(port)
    const late = setTimeout(kill, END_MS)
    await closed
    clearTimeout(late)
    const fault = /[^\s":]+ had a fault; [^\n]*/.exec(output)?.[0]
    return { requests, answers, hits, byId: groupById(hits), notes: {}, port, end: ending, fault, output }
  } catch (error) {
    return { ...empty(row, error), end: 'did not start', output }
  } finally {
    kill()
    rmSync(folder, { recursive: true, force: true })
  }
}

async function portOf(file, ending) {
  for (const started = Date.now(); Date.now() - started < START_MS; ) {
    if (existsSync(file)) return Number(readFileSync(file, 'utf8'))
    if (ending() !== undefined) return undefined
    await new Promise(resolve => setTimeout(resolve, 50))
  }
  return undefined
}

function askToEnd(port) {
  return new Promise(resolve => {
    http
      .get({ host: '127.0.0.1', port, path: '/end', agent: false }, res => res.resume().on('close', resolve))
      .on('error', resolve)
  })
}
