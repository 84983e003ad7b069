import { readFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { LanewayError } from '@laneway/core'
import {
  callback,
  emitLanewayWarning,
  FileFollower,
  milliseconds,
  OptionPlace,
  type OptionTable,
  readOptions,
  texts,
  type Warn,
} from '@laneway/core/internal'
import { PublishedServices } from './published-services.js'
import { ReadLists } from './read-lists.js'
import { parseServicesFile } from './services-file.js'
import type { Source } from './source.js'

/** Options of {@link createFileSource}. */
export interface FileSourceOptions {
  /** Further metadata or label names whose value is a lane tag. @default [] */
  readonly tagsFrom?: readonly string[]
  /**
   * How often the file is looked at beside the watch, in milliseconds.
   * @default 1000: one `stat`, for the changes that no watch sees
   */
  readonly pollMs?: number
  /** Called once per problem when the file is not usable. @default process.emitWarning */
  readonly warn?: Warn
}

const OPTIONS = {
  tagsFrom: texts(),
  pollMs: milliseconds(1000, 1),
  warn: callback<Warn, Warn>(emitLanewayWarning),
} satisfies OptionTable<FileSourceOptions>

/** Pause before an unusable file is read again: it may have been read while it was written. */
const SECOND_LOOK_MS = 100

/**
 * A source from a JSON file (see `parseServicesFile` for its format), read at once and again when it changes, through
 * the symbolic links of a ConfigMap too. A file that is not usable leaves the last good one in use, and says what is
 * wrong: one warning, and `stale` to every service. May be shared by several resolvers; holds no process open.
 *
 * @param path - relative to the working directory at the time of the call
 * @throws LanewayError `LANEWAY_INVALID_OPTION`; a file that is missing or wrong does not throw, it may come yet
 */
export function createFileSource(path: string, options: FileSourceOptions = {}): Source {
  const { tagsFrom, pollMs, warn } = readOptions('createFileSource', options, OPTIONS)
  if (typeof path !== 'string' || path === '') {
    throw new OptionPlace('createFileSource', ['path']).unexpected('a file name', path)
  }
  return new FileSource(resolve(path), tagsFrom, pollMs, warn)
}

class FileSource implements Source {
  readonly name = 'file'
  readonly where: string
  readonly #tagsFrom: readonly string[]
  readonly #warn: Warn
  readonly #published = new PublishedServices()
  readonly #lists = new ReadLists()
  readonly #follower: FileFollower
  #text: string | undefined
  #problem: string | undefined
  #reading = false
  #again = false
  #secondLook: NodeJS.Timeout | undefined
  #closed = false

  constructor(path: string, tagsFrom: readonly string[], pollMs: number, warn: Warn) {
    this.where = path
    this.#tagsFrom = tagsFrom
    this.#warn = warn
    // Watched first: a change between reading and watching would be lost.
    this.#follower = new FileFollower([path], () => void this.#read(), { intervalMs: pollMs, watch: true })
    try {
      this.#take(readFileSync(path, 'utf8'))
    } catch (error) {
      this.#fail(error as Error)
    }
  }

  subscribe: Source['subscribe'] = (service, listener) => this.#published.subscribe(service, listener)

  list: NonNullable<Source['list']> = listener => this.#published.list(listener)

  connection: NonNullable<Source['connection']> = () =>
    this.#problem === undefined
      ? { connected: true }
      : { connected: false, error: new LanewayError('LANEWAY_SOURCE', `${this.where}: ${this.#problem}`) }

  async close(): Promise<void> {
    this.#closed = true
    clearTimeout(this.#secondLook)
    this.#follower.close()
    this.#published.close()
  }

  async #read(): Promise<void> {
    clearTimeout(this.#secondLook)
    this.#again = true
    if (this.#reading) return
    this.#reading = true
    while (this.#again && !this.#closed) {
      this.#again = false
      await this.#readOnce()
    }
    this.#reading = false
  }

  async #readOnce(): Promise<void> {
    try {
      const text = await readFile(this.where, 'utf8')
      if (!this.#closed) this.#take(text)
    } catch (error) {
      if (this.#closed) return
      const problem = (error as Error).message
      if (problem === this.#problem) return
      if (this.#problem === undefined && this.#secondLook === undefined) this.#lookAgain()
      else this.#fail(error as Error)
    }
  }

  /** Called for the first sign of trouble only; the second look decides. */
  #lookAgain(): void {
    this.#secondLook = setTimeout(() => void this.#read(), SECOND_LOOK_MS)
    this.#secondLook.unref()
  }

  #take(text: string): void {
    if (text !== this.#text || this.#problem !== undefined) {
      const services = parseServicesFile(text, this.#tagsFrom, this.#lists)
      this.#text = text
      this.#problem = undefined
      this.#published.replace(services)
    }
    this.#secondLook = undefined
  }

  #fail(error: Error): void {
    this.#secondLook = undefined
    if (error.message === this.#problem) return
    this.#problem = error.message
    const kept = this.#text === undefined ? 'there is nothing to use' : 'the last good one stays in use'
    const what = error instanceof LanewayError ? error.text : error.message
    const cause = new LanewayError('LANEWAY_SOURCE', `${this.where}: ${what}; ${kept}`, { cause: error })
    this.#warn(cause.message)
    this.#published.stale(cause)
  }
}
