// Consumers in processes of their own, which are started, ended, killed and frozen.
import { fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const MEMBER = fileURLToPath(new URL('./member.mjs', import.meta.url))

/**
 * Starts one, under the flags of this process.
 *
 * @returns `{ ready, gone, kill, end, freeze, thaw }`, with `openingAt` and `readyAt`
 */
export function startMember(options) {
  const child = fork(MEMBER, [JSON.stringify(options)], {
    stdio: ['ignore', 'ignore', process.env.SHOW_ERRORS ? 'inherit' : 'ignore', 'ipc'],
  })
  const ready = new Promise(resolve =>
    child.on('message', said => {
      if (said === 'ready') resolve(true)
      else member.openingAt = Date.now()
    }),
  )
  const gone = new Promise(resolve => child.once('exit', resolve))
  const member = {
    lane: options.lane,
    name: options.member,
    ready: Promise.race([ready, gone.then(() => false)]),
    gone,
    frozen: false,
    isGone: false,
    openingAt: undefined,
    readyAt: undefined,
    kill: () => child.kill('SIGKILL'),
    end: () => child.kill('SIGTERM'),
    freeze() {
      member.frozen = true
      child.kill('SIGSTOP')
    },
    thaw() {
      if (!member.frozen) return
      member.frozen = false
      child.kill('SIGCONT')
    },
  }
  ready.then(() => (member.readyAt = Date.now()))
  gone.then(() => (member.isGone = true))
  return member
}
