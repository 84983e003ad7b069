// The child process that holds the services under test, as the run sees it.
import { fork } from 'node:child_process'
import { libraries } from './install.mjs'
import { environmentOf, programFile, WAYS } from './ways.mjs'

const END_MS = 15_000

/** @returns a process with `ask(message)`, `end()` and, after it has ended, `ending` */
export async function startProcess({ way, neighbours, resources, node, env = {}, flags = [], flagsBefore = [] }) {
  const { urls, instances, endpointsFile } = neighbours
  const child = fork(programFile, {
    cwd: libraries,
    execPath: node,
    execArgv: [...flagsBefore, ...WAYS[way].flags, ...flags],
    env: {
      ...environmentOf(way, endpointsFile),
      ...env,
      ECOSYSTEM: JSON.stringify({ way, urls, instances, resources }),
    },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', chunk => (output = (output + chunk).slice(-8000)))
  const answers = []
  let waiting
  const deliver = () => {
    if (waiting === undefined || (answers.length === 0 && one.ending === undefined)) return
    const { resolve, reject } = waiting
    waiting = undefined
    const answer = answers.shift()
    if (answer === undefined) reject(new Error(`the process ended: ${one.ending}\n${output}`))
    else if (answer.error !== undefined) reject(new Error(answer.error))
    else resolve(answer)
  }
  child.on('message', answer => {
    answers.push(answer)
    deliver()
  })
  const one = {
    ending: undefined,
    output: () => output,
    ask(message) {
      return new Promise((resolve, reject) => {
        waiting = { resolve, reject }
        if (message !== undefined && child.connected) child.send(message, () => {})
        deliver()
      })
    },
    /** Lets the process end by itself, and says how it did. */
    async end() {
      if (one.ending === undefined) await one.ask({ order: 'end' }).catch(() => {})
      const late = setTimeout(() => {
        one.hangs = true
        child.kill('SIGKILL')
      }, END_MS)
      await closed
      clearTimeout(late)
      return one.hangs ? 'does not end' : one.ending
    },
    kill: () => child.kill('SIGKILL'),
  }
  const closed = new Promise(resolve => {
    child.on('error', error => {
      one.ending = String(error)
      deliver()
      resolve()
    })
    child.on('close', (code, signal) => {
      one.ending = signal === null ? `code ${code}` : `signal ${signal}`
      deliver()
      resolve()
    })
  })
  await one.ask()
  return one
}
