import type { Dialect } from '../dialect.js'
import type { BiStream } from '../transport/grpc-endpoint.js'
import type { Payload } from '../transport/payload.js'
import type { Outlet } from './outlet.js'
import type { Pusher } from './pusher.js'
import type { Session, Setup } from './session.js'

interface BiStreamParts {
  readonly dialect: Dialect
  readonly pusher: Pusher
  readonly outlet: Outlet
  readonly onChange: () => void
}

/** Serves a bi-directional stream: the setup, then answers to what the server pushed. Anything else gets no answer. */
export function serveBiStream(session: Session, stream: BiStream, parts: BiStreamParts): void {
  stream.on('data', (payload: Payload) => {
    parts.outlet.seen(session, 'stream', payload)
    if (payload.type === 'ConnectionSetupRequest') {
      const setup = parseSetup(payload.body)
      if (session.setup === undefined) {
        session.setup = setup
        session.stream = stream
        session.streaming = true
        session.activeAt = Date.now()
      }
      // A second setup is answered too, but pushes stay with the first stream, even when that has ended.
      if (parts.dialect.abilities !== undefined && setup.sentAbilities) {
        const { abilities } = parts.dialect
        parts.outlet.pushOn(session, stream, 'SetupAckRequest', {
          headers: {},
          abilityTable: abilities,
          module: 'internal',
        })
      }
      parts.onChange()
    } else if (payload.type.endsWith('Response')) {
      session.activeAt = Date.now()
      parts.pusher.onAnswer(session, payload)
    }
  })
  const onEnd = (): void => {
    // The connection stays registered: unary requests are served, and no push ever comes.
    if (session.stream === stream) session.streaming = false
    stream.end()
    parts.onChange()
  }
  stream.once('end', onEnd)
  stream.once('cancelled', onEnd)
  stream.on('error', () => {})
}

function parseSetup(body: Buffer): Setup {
  let value: Record<string, unknown> = {}
  try {
    value = JSON.parse(body.toString()) ?? {}
  } catch {
    // A setup that is no JSON counts, too: the stream has no answer for it.
  }
  const { clientVersion, tenant, labels, abilityTable } = value
  return {
    clientVersion: typeof clientVersion === 'string' ? clientVersion : '',
    tenant: typeof tenant === 'string' ? tenant : '',
    labels: typeof labels === 'object' && labels !== null ? { ...(labels as Record<string, string>) } : {},
    sentAbilities: typeof abilityTable === 'object' && abilityTable !== null,
  }
}
