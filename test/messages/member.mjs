// One consumer of timelines and chaos: writes a line for each message that it handles.
//   node member.mjs '{"system":"bullmq","server":{…},"name":"…","lane":"gray","log":"…","member":"g1.0"}'
import { appendFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { currentLane } from '@laneway/core'

const { system, server, name, lane, log, member, control, handleMs = 5 } = JSON.parse(process.argv[2])
process.on('disconnect', () => process.exit(2))
const { openMember, idOf, failsNow } = await import(`./${system}-system.mjs`)

async function handle(message) {
  const seen = currentLane()?.header ?? '-'
  appendFileSync(log, `${idOf(message)} ${seen} ${lane} ${member} ${Date.now()}\n`)
  await sleep(handleMs)
  if (failsNow(message)) throw new Error('the first try fails')
}

process.send('opening')
const consumer = await openMember({ server, name, lane, control, handle })
process.send('ready')
process.on('SIGTERM', async () => {
  await consumer.close()
  process.exit(0)
})
