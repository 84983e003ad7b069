import { slot } from '../context/context-slot.js'
import { LanewayError } from '../errors.js'
import { describe } from '../options/describe.js'
import { callback, unchecked } from '../options/option.js'
import { type OptionTable, readOptions } from '../options/read-options.js'
import { emitLanewayWarning, type Warn } from '../warning.js'
import { downwardValue } from './downward-value.js'
import type { Lane } from './lane.js'
import { assertLane } from './parse-lane.js'
import { BASE_TAG, isTag } from './tag.js'

/** Where {@link ownLane} looks. */
export interface OwnLaneOptions {
  /** The tag, first choice. @default none */
  tag?: string | undefined
  /** @default process.env */
  env?: Readonly<Record<string, string | undefined>>
  /** Downward API volume with the pod's labels. @default '/etc/podinfo/labels', where MSE's pods have it */
  labelsFile?: string
  /** Downward API volume with the pod's annotations. @default '/etc/podinfo/annotations' */
  annotationsFile?: string
  /** @default process.emitWarning */
  warn?: Warn
}

const OPTIONS = {
  tag: unchecked<string | undefined>(),
  env: unchecked<OwnLaneOptions['env']>(),
  labelsFile: unchecked('/etc/podinfo/labels'),
  annotationsFile: unchecked('/etc/podinfo/annotations'),
  warn: callback<Warn>(),
} satisfies OptionTable<OwnLaneOptions>

/** The label that MSE and OpenKruise Rollouts put on a pod of a lane. */
export const POD_LABEL = 'alicloud.service.tag'

/**
 * The lane that this process belongs to: option, `LANEWAY_TAG`, `MSE_ALICLOUD_SERVICE_TAG`, pod labels, pod annotations;
 * the first that is not blank. `base` is base. When two of them disagree the first wins, with one warning.
 *
 * @returns `undefined` for base
 * @throws LanewayError `LANEWAY_INVALID_TAG` for a value that is not a tag: the operator meant a lane, so base is wrong
 */
export function ownLane(options: OwnLaneOptions = {}): Lane | undefined {
  const settings = readOptions('ownLane', options, OPTIONS)
  const { labelsFile: labels, annotationsFile: annotations, warn = warnOnce } = settings
  const env = settings.env ?? process.env
  const given = [
    { from: 'the option "tag"', value: options.tag },
    { from: 'LANEWAY_TAG', value: env['LANEWAY_TAG'] },
    { from: 'MSE_ALICLOUD_SERVICE_TAG', value: env['MSE_ALICLOUD_SERVICE_TAG'] },
    { from: labels, value: downwardValue(labels, POD_LABEL) },
    { from: annotations, value: downwardValue(annotations, POD_LABEL) },
  ].filter((one): one is { from: string; value: string } => typeof one.value === 'string' && one.value.trim() !== '')
  const first = given[0]
  if (first === undefined) return undefined
  for (const { from, value } of given) {
    if (!isTag(value.trim())) {
      throw new LanewayError('LANEWAY_INVALID_TAG', `${from} is not a lane tag: ${describe(value)}; unset it for base`)
    }
  }
  const tag = first.value.trim()
  const other = given.find(one => one.value.trim() !== tag)
  if (other !== undefined) {
    warn(`${first.from} says "${tag}" and ${other.from} says "${other.value.trim()}": this instance is "${tag}"`)
  }
  return tag === BASE_TAG ? undefined : assertLane(first.from, tag)
}

const warned = new Set<string>()

/** Every adapter asks for the own lane, with the same answer. */
function warnOnce(message: string): void {
  if (warned.has(message)) return
  warned.add(message)
  emitLanewayWarning(message)
}

/** Lets untagged work of this process run in its own lane, for `ownLane: 'colour'`. */
export function colourOwnLane(lane: Lane | undefined): void {
  slot.ownColour = lane
}
