import { createHash } from 'node:crypto'
import { LanewayError } from '@laneway/core'
import { describeAnswer } from '../connection/session.js'
import type { Message } from '../wire/transport.js'
import type { ConfigKey } from './config-key.js'

/** One configuration as the server has it. */
export interface ConfigValue {
  readonly dataId: string
  readonly group: string
  readonly content: string
  /** Lower-case hex of the UTF-8 content. */
  readonly md5: string
  readonly contentType: string | undefined
}

/** Error code: there is no such configuration. */
export const CONFIG_NOT_FOUND = 300
/** Another client is writing it at this moment. A bad parameter has the same code; only the text differs. */
const CONFLICT = 400
const CONFLICT_PAUSE_MS = 100
const MAX_CONFLICTS = 20

/** Codes of answers to a query that are not errors of the request. */
export const CONFIG_QUERY_ANSWERS: readonly number[] = [CONFIG_NOT_FOUND, CONFLICT]

/** Reads a configuration, and reads again while it is being written. @returns `undefined` when there is none */
export async function readWhenStill(key: ConfigKey, ask: () => Promise<Message>): Promise<ConfigValue | undefined> {
  for (let conflicts = 1; ; conflicts++) {
    const answer = await ask()
    const { resultCode, errorCode, message } = answer.body
    if (resultCode === 200) return readValue(key, answer)
    if (errorCode === CONFIG_NOT_FOUND) return undefined
    if (!/being modified/i.test(String(message)) || conflicts === MAX_CONFLICTS) {
      throw new LanewayError('LANEWAY_NACOS_REFUSED', `${key.dataId}: ${describeAnswer(answer)}`)
    }
    await new Promise(resolve => setTimeout(resolve, CONFLICT_PAUSE_MS))
  }
}

function readValue(key: ConfigKey, answer: Message): ConfigValue {
  const { content, md5, contentType } = answer.body
  const text = typeof content === 'string' ? content : ''
  return Object.freeze({
    dataId: key.dataId,
    group: key.group,
    content: text,
    md5: typeof md5 === 'string' && md5 !== '' ? md5 : createHash('md5').update(text).digest('hex'),
    contentType: typeof contentType === 'string' ? contentType : undefined,
  })
}
