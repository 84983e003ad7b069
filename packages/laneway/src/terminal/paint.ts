import { styleText } from 'node:util'
import type { CommandWorld } from './world.js'

type Style = 'bold' | 'dim' | 'red' | 'green' | 'yellow' | 'cyan'

/** Colours a text, where colours are wanted. */
export type Paint = (style: Style, text: string) => string

/**
 * `NO_COLOR` of any value but the empty one switches colours off, `FORCE_COLOR` switches them on, else a terminal has them.
 *
 * @see https://no-color.org
 */
export function createPaint({ env, isTerminal }: Pick<CommandWorld, 'env' | 'isTerminal'>): Paint {
  const force = env['FORCE_COLOR']
  const forced = force !== undefined && force !== '' && force !== '0'
  const on = !env['NO_COLOR'] && force !== '0' && env['TERM'] !== 'dumb' && (isTerminal || forced)
  // Whether the stream takes colours is decided here; styleText of later releases would ask standard output again.
  return on ? (style, text) => styleText(style, text, { validateStream: false } as never) : (_, text) => text
}
