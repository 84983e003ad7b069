/** TLS material of one connection, in the terms of `tls.connect`. */
export interface TlsMaterial {
  readonly ca?: string | Buffer
  readonly cert?: string | Buffer
  readonly key?: string | Buffer
  readonly servername?: string
  readonly rejectUnauthorized?: boolean
}

/** What authenticates a request: the TLS material of its connection, and its headers. */
export interface Credentials {
  readonly tls: TlsMaterial
  readonly headers: Readonly<Record<string, string>>
}

/** The address of an API server, and how to authenticate there. */
export interface ClusterAccess {
  /** `https://host:port`; a path goes in front of the path of each API. */
  readonly server: URL
  /** The namespace of this process: see {@link findClusterAccess}. */
  readonly namespace: string
  /**
   * Reads the credentials again on each call, because tokens and certificates are replaced while a process runs.
   * @param refused - the server has just refused the last ones, so cached credentials must not be returned
   */
  credentials(refused: boolean): Promise<Credentials>
}
