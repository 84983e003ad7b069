import { setTimeout as sleep } from 'node:timers/promises'
import { LanewayError } from '@laneway/core'

/** The topic that holds the ledgers of all groups: one partition, compacted, times by the broker's clock. */
export const LEDGER_TOPIC = 'laneway.lanes'

/** The form of the topic. A writer's clock must not say when a lane begins, and records are never dropped by age. */
export const LEDGER_CONFIG = { 'cleanup.policy': 'compact', 'message.timestamp.type': 'LogAppendTime' } as const

/** What to do when the topic cannot be made or used. */
export function ledgerError(doing: string, cause: unknown): LanewayError {
  const configs = Object.entries(LEDGER_CONFIG).map(([name, value]) => `--config ${name}=${value}`)
  return new LanewayError(
    'LANEWAY_LEDGER',
    `laneKafka: cannot ${doing} the topic ${LEDGER_TOPIC}, which says what each lane owns (${(cause as Error)?.message ?? cause}); ` +
      'an administrator runs once:\n' +
      `  kafka-topics.sh --bootstrap-server BROKER --create --topic ${LEDGER_TOPIC} --partitions 1 ${configs.join(' ')}\n` +
      `  kafka-acls.sh --bootstrap-server BROKER --add --allow-principal User:NAME --operation Read --operation Write --operation Describe --topic ${LEDGER_TOPIC}\n` +
      '  kafka-acls.sh --bootstrap-server BROKER --add --allow-principal User:NAME --operation Read --operation Describe --group laneway.ledger. --resource-pattern-type prefixed',
    { cause },
  )
}

/** Whether the topic is there within a while: a broker that has made it may know it a moment later. */
export async function isThereSoon(listTopics: () => Promise<readonly string[]>): Promise<boolean> {
  for (let looks = 0; looks < 50; looks++) {
    if ((await listTopics()).includes(LEDGER_TOPIC)) return true
    await sleep(100)
  }
  return false
}
