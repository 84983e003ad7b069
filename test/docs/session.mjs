// One page, played as a reader plays it: its files are written into an empty folder, its commands are typed into one
// shell. Ports are replaced by free ones, so that pages run side by side.
import { spawn } from 'node:child_process'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { dirname, join } from 'node:path'
import { blocksOf, commandsOf, isInstall } from './blocks.mjs'

const PORT = /(?:\bport['"]?[:=] ?|\bPORT=|--port |\blisten\(|\bhost['"]?:.*\bport['"]?: ?|:)(\d{4})\b/g
/** How long a call may give another answer than the page: servers start, and registries notify. */
const PATIENCE_MS = 15_000
const COMMAND_MS = 60_000

/**
 * @typedef {object} PlayOptions
 * @property {string} folder - is emptied first
 * @property {Record<string, string>} env
 * @property {string} [before] - pages that this one continues
 * @property {boolean} [keepOn] - goes on after an output that differs
 * @property {(lines: string) => void} [install] - gets the blocks that install packages
 */

/**
 * @param {string} page - its text
 * @param {PlayOptions} options
 * @returns {Promise<{ results: object[], page: string, unasked: string }>} each command with what it printed; the page with
 * these outputs
 */
export async function playPage(page, { folder, env, before = '', keepOn = false, install }) {
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  const blocks = blocksOf(`${before}\n${page}`)
  const map = await freePorts(blocks)
  const shell = new Shell(folder, { ...process.env, ...env })
  const results = []
  let written = page
  try {
    for (const block of blocks) {
      if (block.mark.startsWith('no-run')) continue
      if (isInstall(block)) install?.(block.text)
      if (block.file !== undefined && block.lang !== 'console') {
        const path = join(folder, block.file)
        mkdirSync(dirname(path), { recursive: true })
        writeFileSync(path, replace(block.text, map))
      } else if (block.lang === 'console') {
        const played = []
        for (const command of commandsOf(block)) {
          const output = await play(shell, command, map)
          played.push({ ...command, seen: output, ok: matches(output, command.output), at: block.line })
          if (!keepOn && !played.at(-1).ok) break
        }
        results.push(...played)
        if (!keepOn && results.some(({ ok }) => !ok)) break
        written = written.replace(block.text, () => written_(played))
      }
    }
  } finally {
    shell.end()
  }
  return { results, page: written, unasked: shell.unasked.trim() }
}

function written_(played) {
  return played.map(({ line, output, seen, ok }) => `$ ${line}\n${withFeed(ok ? output : seen)}`).join('')
}

const withFeed = text => (text === '' ? '' : `${text}\n`)

async function play(shell, { line, output }, map) {
  const port = /(?:localhost|127\.0\.0\.1):(\d{4})/.exec(line)?.[1]
  const call = /\bcurl\b/.test(line)
  if (call && port !== undefined) await reachable(map.get(port) ?? Number(port))
  const end = Date.now() + (call || /\b(grep|laneway) /.test(line) ? PATIENCE_MS : 0)
  for (;;) {
    const seen = restore(await shell.run(replace(line, map), replace(output, map)), map)
    if (matches(seen, output) || Date.now() > end) return seen
    await new Promise(resolve => setTimeout(resolve, 200))
  }
}

/** `...` in the output of a page stands for anything. */
function matches(seen, expected) {
  const pattern = expected
    .split('...')
    .map(part => part.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&'))
    .join('[^]*?')
  return new RegExp(`^${pattern}$`).test(seen)
}

async function freePorts(blocks) {
  const map = new Map()
  const texts = blocks.filter(block => block.file !== undefined || block.lang === 'console')
  for (const { text } of texts) for (const [, port] of text.matchAll(PORT)) map.set(port, 0)
  for (const port of [...map.keys()].sort((a, b) => a - b)) {
    const below = map.get(String(port - 1000))
    map.set(port, below === undefined ? await freePort(new Set(map.values())) : below + 1000)
  }
  return map
}

/** A port that is free, as is the one 1000 above, where Nacos has its second one. */
async function freePort(taken) {
  for (;;) {
    const port = 20_000 + Math.floor(Math.random() * 8_000)
    if (!taken.has(port) && (await isFree(port)) && (await isFree(port + 1000))) return port
  }
}

function isFree(port) {
  return new Promise(resolve => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen(port, () => server.close(() => resolve(true)))
  })
}

async function reachable(port) {
  const end = Date.now() + COMMAND_MS
  while (Date.now() < end) {
    const socket = connect(port, 'localhost')
    const open = await new Promise(resolve =>
      socket.once('connect', () => resolve(true)).once('error', () => resolve(false)),
    )
    socket.destroy()
    if (open) return
    await new Promise(resolve => setTimeout(resolve, 100))
  }
}

function replace(text, map) {
  return text.replaceAll(/\b\d{4}\b/g, port => map.get(port) ?? port)
}

function restore(text, map) {
  for (const [port, free] of map) text = text.replaceAll(String(free), port)
  return text
}

/** A shell that stays, so that servers in its background live until the page ends. */
class Shell {
  /** What servers printed between the commands: a reader sees it, so a page must not leave it out. */
  unasked = ''
  #child
  #text = ''
  #wake = () => {}
  #count = 0

  constructor(folder, env) {
    this.#child = spawn('bash', ['--norc', '--noprofile'], { cwd: folder, env, detached: true })
    this.#child.stdin.write('exec 2>&1\n')
    this.#child.stdout.setEncoding('utf8')
    this.#child.stdout.on('data', chunk => {
      this.#text += chunk
      this.#wake()
    })
  }

  /**
   * Runs a command, and returns what came until it ended. A server in the background does not end: its output is what
   * came until it had printed what the page says.
   */
  async run(line, output) {
    this.unasked += this.#text
    this.#text = ''
    if (line.trimEnd().endsWith('&')) {
      this.#child.stdin.write(`${line}\n`)
      if (output === '') return ''
      await this.#until(() => matches(this.#text.trim(), output), PATIENCE_MS)
      return this.#take(this.#text.length).trim()
    }
    const mark = `\u001f${++this.#count}\u001f`
    this.#child.stdin.write(`${line}\nprintf '${mark}'\n`)
    await this.#until(() => this.#text.includes(mark), COMMAND_MS)
    const at = this.#text.indexOf(mark)
    if (at === -1) throw new Error(`"${line}" does not end; it has printed: ${this.#text}`)
    return this.#take(at + mark.length)
      .slice(0, at)
      .trim()
  }

  #take(length) {
    const taken = this.#text.slice(0, length)
    this.#text = this.#text.slice(length)
    return taken
  }

  async #until(condition, ms) {
    const end = Date.now() + ms
    while (!condition() && Date.now() < end) {
      await new Promise(resolve => {
        const timer = setTimeout(resolve, 500)
        this.#wake = () => {
          clearTimeout(timer)
          resolve()
        }
      })
    }
  }

  end() {
    try {
      process.kill(-this.#child.pid, 'SIGKILL')
    } catch {
      // It has ended.
    }
  }
}
