import { readFileSync } from 'node:fs'
import { slot } from '../context/context-slot.js'
import { FileFollower } from '../file-follower.js'
import { channels } from '../log/events.js'
import { milliseconds, text, unchecked } from '../options/option.js'
import { OptionPlace } from '../options/option-place.js'
import { type OptionTable, readOptions } from '../options/read-options.js'
import { emitLanewayWarning } from '../warning.js'
import { type ControlDocument, inWordsOf, NO_DOCUMENT, parseControl } from './control-document.js'
import { isDisabled } from './disabled.js'
import { isOff, switchLaneway } from './switch.js'

/** What a control does to a resolver: `createLaneResolver` of `@laneway/discovery` makes one. */
export interface ControlledResolver {
  update(settings: object): void
}

/** Options of {@link createControl}. */
export interface ControlOptions {
  /** A file to follow. It need not exist. @default none: documents come by `replace` */
  file?: string
  /** How often the file is looked at, 100 to 3,600,000 ms. @default 1000, one `stat` a second */
  intervalMs?: number
  /** Gets the settings that are a resolver's. @default none: then only `enabled` and `propagateTo` count */
  resolver?: ControlledResolver | undefined
  /** Where the documents come from, for messages. @default the file, else `control` */
  source?: string
}

/** What is active. Plain data. */
export interface ControlState {
  readonly source: string
  /** Whether Laneway is on. */
  readonly enabled: boolean
  /** Since when it is on or off, ISO 8601. */
  readonly enabledSince: string
  /** The settings of the document in use; empty before the first. */
  readonly settings: Readonly<Record<string, unknown>>
  /** When the document in use was taken, ISO 8601; `undefined` before the first. */
  readonly since: string | undefined
  /** Why the newest document was refused, or could not be read; `undefined` when it is in use. */
  readonly problem: string | undefined
}

/** Control of a process while it runs. */
export interface Control {
  /**
   * Takes a document, a JSON object. Its keys: `enabled`, `propagateTo`, and what `resolver.update` takes; what it leaves out is as
   * at the start. A bad document is reported and changes nothing. Never throws, needs no `this`.
   *
   * @returns whether the document is in use
   */
  readonly replace: (document: unknown) => boolean
  /** What is active, and since when. */
  readonly state: () => ControlState
  /** Stops following the file. What is active stays so. */
  readonly close: () => void
}

const OPTIONS = {
  file: text(undefined),
  intervalMs: milliseconds(1000, 100, 3_600_000),
  resolver: unchecked<ControlledResolver | undefined>(),
  source: text(undefined),
} satisfies OptionTable<ControlOptions>

/**
 * Lets operators change settings of Laneway while it runs, and switch it off and on, by a file or by `replace` (from a configuration
 * of Nacos, for example).
 *
 * Off means: a request that arrives, and a call that is made outside of a lane, go as if Laneway was not there. What began before
 * ends as it began. The switch and `propagateTo` hold for the whole process, so one control should do.
 *
 * Each document is a process warning and an event on `channels.control`. Under `LANEWAY_DISABLE=all` a control does nothing.
 *
 * @throws LanewayError `LANEWAY_INVALID_OPTION` for wrong options; a bad file is a warning
 * @example
 * const control = createControl({ resolver, file: '/etc/laneway/control.json' })
 * nacos.config.listen('laneway-control', {}, { value: value => control.replace(value?.content), lost() {} })
 */
export function createControl(options: ControlOptions = {}): Control {
  const { file, intervalMs, resolver, source = file ?? 'control' } = readOptions('createControl', options, OPTIONS)
  if (resolver !== undefined && typeof resolver.update !== 'function') {
    throw new OptionPlace('createControl', ['resolver']).unexpected('what createLaneResolver() returns', resolver)
  }
  const disabled = isDisabled([])
  let used = NO_DOCUMENT
  let usedText: unknown
  let since: string | undefined
  let enabledSince = now()
  let problem: string | undefined

  function replace(document: unknown): boolean {
    if (disabled) return false
    if (typeof document === 'string' && document === usedText) {
      problem = undefined
      return true
    }
    let next: ControlDocument
    try {
      next = parseControl(document, source)
      resolver?.update(next.resolver)
    } catch (error) {
      refuse(inWordsOf(source, error))
      return false
    }
    usedText = document
    take(next)
    return true
  }

  function take(next: ControlDocument): void {
    const switched = isOff() === next.enabled
    const settings = settingsOf(next)
    used = next
    since = now()
    problem = undefined
    slot.hosts = next.propagateTo
    switchLaneway(next.enabled)
    if (switched) enabledSince = since
    const names = Object.keys(settings).join(', ')
    emitLanewayWarning(
      `${source}: ${switched ? `Laneway is switched ${next.enabled ? 'on' : 'off'}; ` : ''}${names === '' ? 'the settings of the start are' : `${names}`} in use`,
    )
    publish('taken')
  }

  function refuse(error: Error): void {
    if (problem === error.message) return
    problem = error.message
    emitLanewayWarning(`a control document is refused, what was active stays so: ${error.message}`)
    publish('refused', error)
  }

  function publish(outcome: 'taken' | 'refused', error?: Error): void {
    if (!channels.control.hasSubscribers) return
    const event = { source, outcome, enabled: !isOff(), settings: settingsOf(used) }
    channels.control.publish(error === undefined ? event : { ...event, error })
  }

  function read(): boolean {
    let document: string
    try {
      document = readFileSync(file!, 'utf8')
    } catch (error) {
      // A file that was never there is no fault.
      if (since !== undefined || (error as { code?: unknown }).code !== 'ENOENT') refuse(error as Error)
      return false
    }
    replace(document)
    return true
  }

  let follower: FileFollower | undefined
  if (file !== undefined && !disabled) {
    // Before the first read, so that a change after it is seen.
    follower = new FileFollower([file], read, { intervalMs })
    read()
  }

  return {
    replace,
    state: () => ({
      source,
      enabled: !disabled && !isOff(),
      enabledSince,
      settings: settingsOf(used),
      since,
      problem,
    }),
    close: () => follower?.close(),
  }
}

function settingsOf({ propagateTo, resolver }: ControlDocument): Readonly<Record<string, unknown>> {
  return propagateTo === undefined ? resolver : { propagateTo, ...resolver }
}

function now(): string {
  return new Date().toISOString()
}
