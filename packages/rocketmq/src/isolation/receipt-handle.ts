/**
 * What a handle of RocketMQ 5 consists of: the first offset of its checkpoint, when and for how long the message was taken,
 * the queue of checkpoints, the kind of topic, broker, queue, the offset of the message, and more.
 */
const HANDLE = /^\d+( \d+ \d+ (\d+) \S+ \S+ \d+ (\d+)(?: .*)?)$/
/** The queue of checkpoints that stands for an order: such a message has no checkpoint of its own. */
const OF_ORDER = '999'

/**
 * Corrects the handle that a renewed message has. The broker makes a checkpoint that begins with the message itself, but
 * the proxy in local mode of RocketMQ 5.3 names the beginning of the old one. The broker ignores an acknowledgement by such
 * a handle and delivers the message again: https://github.com/apache/rocketmq/issues/9583. Other handles stay as they are.
 */
export function renewedHandle(handle: string): string {
  const [, rest, queue, offset] = HANDLE.exec(handle) ?? []
  return rest === undefined || queue === OF_ORDER ? handle : `${offset}${rest}`
}
