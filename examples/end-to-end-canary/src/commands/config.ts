import type { Play } from '../play/play.js'

/**
 * Publishes the configuration that service A follows.
 *
 * @throws Error without Nacos, and for content that would not be read in the answer of A
 */
export async function config({ publish }: Pick<Play, 'publish'>, content: string): Promise<string> {
  if (publish === undefined) throw new Error('error: there is no Nacos in this play, so A has no configuration')
  if (!/^[\w.-]{1,40}$/.test(content))
    throw new Error('error: config <content>, of up to 40 letters, digits, _ . and -')
  await publish(content)
  return `sc-A.config published: ${content}`
}
