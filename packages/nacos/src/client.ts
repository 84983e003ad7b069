import { NacosConfig } from './config/config.js'
import { Connection } from './connection/connection.js'
import { Login } from './connection/login.js'
import { type NacosClientOptions, resolveNacosClientOptions } from './connection/options.js'
import { NacosNaming } from './naming/naming.js'

/** A client of one Nacos cluster: one connection, one identity at the server, naming and configuration. */
export interface NacosClient {
  readonly naming: NacosNaming
  readonly config: NacosConfig
  /** Namespace id of this client. */
  readonly namespace: string
  /** `host:port` of the main port of each server, as configured. */
  readonly servers: readonly string[]
  /** `host:port` (gRPC) of the server in use; `undefined` while there is none. */
  readonly server: string | undefined
  /** Why there is no connection; `undefined` while there is one, and before the first attempt has ended. */
  readonly lost?: Error | undefined
  /**
   * Waits for a connection. Every use connects by itself; this is for those who want to know.
   *
   * @throws LanewayError `LANEWAY_NACOS_UNAVAILABLE` after `operationTimeoutMs`; the client goes on trying. `LANEWAY_CLOSED`
   */
  ready(): Promise<void>
  /** Deregisters what was registered, ends the connection and every timer. Bounded by `requestTimeoutMs`. Idempotent, never rejects. */
  close(): Promise<void>
}

/**
 * Makes a client. It connects when it is first used, and stays connected until `close`.
 *
 * @throws LanewayError `LANEWAY_INVALID_OPTION`; `LANEWAY_INVALID_TAG` for a lane that is none
 */
export function createNacosClient(input: NacosClientOptions): NacosClient {
  const options = resolveNacosClientOptions(input)
  const { username, password, tls, servers, requestTimeoutMs, random, now, warn } = options
  const login =
    username === undefined
      ? undefined
      : new Login({
          servers,
          username,
          password,
          tls,
          timeoutMs: requestTimeoutMs,
          random,
          now,
          onError: error => warn(error.message),
        })
  const connection = new Connection(options, login)
  const naming = new NacosNaming(connection)
  const config = new NacosConfig(connection)
  let closing: Promise<void> | undefined
  const close = async (): Promise<void> => {
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<void>(resolve => {
      timer = setTimeout(resolve, requestTimeoutMs)
    })
    config.close()
    await Promise.race([naming.close(), late])
    clearTimeout(timer)
    connection.close()
    login?.close()
  }
  return Object.freeze({
    naming,
    config,
    namespace: options.namespace,
    servers: Object.freeze(servers.map(({ host, port }) => `${host}:${port}`)),
    get server() {
      const server = connection.session?.server
      return server === undefined ? undefined : `${server.host}:${server.grpcPort}`
    },
    get lost() {
      return connection.lost
    },
    ready: async () => {
      await connection.ready(options.operationTimeoutMs)
    },
    close: () => {
      closing ??= close()
      return closing
    },
  })
}
