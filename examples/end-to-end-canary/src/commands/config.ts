import { parseArgs } from 'node:util'
import { parseLane } from '@laneway/core'
import type { Play } from '../play/play.js'

/**
 * Publishes the configuration that service A follows; with `--lane` for the instances of a lane only.
 *
 * @throws Error without Nacos, and for content that would not be read in the answer of A
 */
export async function config({ publish }: Pick<Play, 'publish'>, argv: readonly string[]): Promise<string> {
  const { values, positionals } = parseArgs({
    args: [...argv],
    allowPositionals: true,
    options: { lane: { type: 'string' } },
  })
  const [content = ''] = positionals
  const { lane } = values
  if (publish === undefined) throw new Error('error: there is no Nacos in this play, so A has no configuration')
  if (!/^[\w.-]{1,40}$/.test(content))
    throw new Error('error: config <content>, of up to 40 letters, digits, _ . and -')
  if (lane !== undefined && parseLane(lane)?.tags.length !== 1) throw new Error(`error: --lane ${lane} is no lane`)
  await publish(content, lane)
  return `sc-A.config published${lane === undefined ? '' : ` for ${lane}`}: ${content}`
}
