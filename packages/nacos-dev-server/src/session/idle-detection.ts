import type { ResolvedOptions } from '../options.js'
import type { Pusher } from './pusher.js'
import type { Session } from './session.js'

interface IdleDetectionParts {
  readonly settings: NonNullable<ResolvedOptions['detection']>
  readonly sessions: () => readonly Session[]
  readonly pusher: Pusher
  readonly expel: (session: Session) => void
}

/**
 * Asks connections that were silent whether they live, and gives up those that do not say so. Returns a function that
 * ends it. A real 2.3 to 3.1 server often gives up a connection that answers quickly, too; this one does not.
 */
export function startIdleDetection({ settings, sessions, pusher, expel }: IdleDetectionParts): () => void {
  const asked = new Set<Session>()
  const ask = async (session: Session): Promise<void> => {
    asked.add(session)
    const end = await pusher.push(session, 'ClientDetectionRequest', { module: 'internal' }, settings.answerMs)
    asked.delete(session)
    if (end !== 'acknowledged') expel(session)
  }
  const timer = setInterval(() => {
    const silentSince = Date.now() - settings.idleMs
    for (const session of sessions()) {
      if (!session.registered || session.frozen || asked.has(session)) continue
      if (session.activeAt <= silentSince) void ask(session)
    }
  }, settings.everyMs)
  return () => clearInterval(timer)
}
