import { resolve } from 'node:path'
import { type Control, type ControlState, createControl, LanewayError } from '@laneway/core'
import type { ConfigClient } from '@laneway/core/internal'
import type { Discovery } from './discovery/discovery.js'

/** A place of control documents: `nacos:dataId`, `nacos:dataId@group`, or a file. */
export function parseControlPlace(
  place: string,
): { readonly file: string } | { readonly dataId: string; readonly group: string | undefined } {
  const [, dataId, group] = /^nacos:([^@]+)(?:@(.+))?$/.exec(place) ?? []
  return dataId === undefined ? { file: place } : { dataId, group }
}

/**
 * Follows the control documents that `LANEWAY_CONTROL` names.
 *
 * @returns `undefined` when it names none
 * @throws LanewayError `LANEWAY_INVALID_OPTION` for a configuration of Nacos without Nacos
 */
export function startControl(place: string | undefined, { resolver, nacos }: Discovery): Control | undefined {
  if (place === undefined) return undefined
  const parsed = parseControlPlace(place)
  if ('file' in parsed) return createControl({ file: resolve(parsed.file), resolver })
  const { dataId, group } = parsed
  if (nacos === undefined) {
    throw new LanewayError(
      'LANEWAY_INVALID_OPTION',
      `LANEWAY_CONTROL is ${place}, and there is no connection to Nacos: set LANEWAY_NACOS, or name a file`,
    )
  }
  const control = createControl({ source: place, resolver })
  const listener = {
    value(value: { readonly content: string } | undefined) {
      // A configuration that was never there is no fault; one that is removed is refused, so that what is active stays.
      if (value !== undefined || control.state().since !== undefined) control.replace(value?.content)
    },
    lost() {},
  }
  ;(nacos as ConfigClient).config.listen(dataId, group === undefined ? {} : { group }, listener)
  return control
}

/** One line for the diagnosis. */
export function controlText(state: ControlState | undefined): string {
  if (state === undefined) return 'none'
  const { source, enabled, enabledSince, settings, since, problem } = state
  const names = Object.keys(settings).join(' ') || 'settings of the start'
  const taken = since === undefined ? '' : `, taken ${since}`
  return `${source}: ${enabled ? 'on' : 'off'} since ${enabledSince}, ${names}${taken}${problem === undefined ? '' : `; refused: ${problem}`}`
}
