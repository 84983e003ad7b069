import type { Socket } from 'node:net'
import type { BiStream } from '../transport/grpc-endpoint.js'

/** What a client said in its `ConnectionSetupRequest`. */
export interface Setup {
  readonly clientVersion: string
  readonly tenant: string
  readonly labels: Readonly<Record<string, string>>
  readonly sentAbilities: boolean
}

/** One TCP connection: to Nacos, the connection is the session. */
export class Session {
  readonly id: string
  readonly clientIp: string
  readonly connectedAt: number
  setup: Setup | undefined
  /** The stream that gets the pushes: the first one that was set up, for as long as the connection lives. */
  stream: BiStream | undefined
  /** Whether that stream is still open; without it the connection stays registered, but deaf. */
  streaming = false
  /** Idle detection counts from here. */
  activeAt: number
  /** Set when the server has dropped the session although its TCP connection is open. */
  expelled = false
  /** Reads nothing and says nothing. */
  frozen = false
  /** Sends GOAWAY; undefined until the socket is served. */
  goAway: (() => void) | undefined

  constructor(
    readonly socket: Socket,
    now: number,
  ) {
    this.clientIp = socket.remoteAddress ?? ''
    this.id = `${now}_${this.clientIp}_${socket.remotePort ?? 0}`
    this.connectedAt = now
    this.activeAt = now
  }

  /** Stops or resumes reading, below HTTP/2, so that not even a PING is answered; TCP itself stays up. */
  setFrozen(isFrozen: boolean): void {
    this.frozen = isFrozen
    // node:http2 reads from the handle and ignores pause(); only the handle itself can stop.
    const handle = (this.socket as { _handle?: { readStop?: () => void; readStart?: () => void } })._handle
    if (isFrozen) handle?.readStop?.()
    else handle?.readStart?.()
  }

  /** Whether requests of this connection are served. */
  get registered(): boolean {
    return this.setup !== undefined && !this.expelled
  }
}
