/** The server release whose behaviour is imitated. */
export type DialectName = '3.1.0' | '2.5.0' | '2.2.3'

/** What differs between releases, as recorded from real servers. */
export interface Dialect {
  readonly name: DialectName
  /** Sent in `SetupAckRequest`; undefined: the release neither announces nor sends that message. */
  readonly abilities: Readonly<Record<string, boolean>> | undefined
  /** The spelling of the list flag in a service info. */
  readonly listFlag: 'allIps' | 'allIPs'
  /** Whether hosts carry an `instanceId` that the client did not send. */
  readonly instanceIds: boolean
  /** Whether `PersistentInstanceRequest` is known. */
  readonly persistentInstances: boolean
  /** Whether ports and service names are checked. */
  readonly checksParameters: boolean
  /** `resultCode` of the answer to an unknown operation. */
  readonly badOperationCode: 400 | 500
  /** Whether the config tenants `public` and `""` are one. */
  readonly publicTenantIsEmpty: boolean
  /** Whether `casMd5` of a publication is compared. */
  readonly comparesMd5: boolean
  /** Whether silent connections are asked and dropped. */
  readonly detectsSilence: boolean
  /** Whether `ConnectResetRequest` names the connection. */
  readonly resetNamesConnection: boolean
  /** Texts of a refused request. */
  readonly refusals: Readonly<Record<'missing' | 'invalid' | 'expired' | 'forbidden', string>>
  /** Whether the v3 HTTP interfaces exist; v2 answers 410 where they do. */
  readonly httpV3: boolean
}

const refusalsOf2 = {
  missing: 'user not found!',
  invalid: 'token invalid!',
  expired: 'token expired!',
  forbidden: 'authorization failed!',
}

const dialects: Readonly<Record<DialectName, Dialect>> = {
  '3.1.0': {
    name: '3.1.0',
    abilities: { supportPersistentInstanceByGrpc: true, agent: true, fuzzyWatch: true, lock: true, mcp: true },
    listFlag: 'allIps',
    instanceIds: true,
    persistentInstances: true,
    checksParameters: true,
    badOperationCode: 400,
    publicTenantIsEmpty: true,
    comparesMd5: true,
    detectsSilence: true,
    resetNamesConnection: true,
    refusals: {
      missing: 'Code: 401, Message: User not found! Please check user exist or password is right!.',
      invalid: 'Code: 401, Message: token invalid!.',
      expired: 'Code: 401, Message: token expired!.',
      forbidden: 'Code: 403, Message: authorization failed!.',
    },
    httpV3: true,
  },
  '2.5.0': {
    name: '2.5.0',
    abilities: { supportPersistentInstanceByGrpc: true },
    listFlag: 'allIPs',
    instanceIds: true,
    persistentInstances: true,
    checksParameters: true,
    badOperationCode: 400,
    publicTenantIsEmpty: false,
    comparesMd5: true,
    detectsSilence: true,
    resetNamesConnection: true,
    refusals: refusalsOf2,
    httpV3: false,
  },
  '2.2.3': {
    name: '2.2.3',
    abilities: undefined,
    listFlag: 'allIPs',
    instanceIds: false,
    persistentInstances: false,
    checksParameters: false,
    badOperationCode: 500,
    publicTenantIsEmpty: false,
    comparesMd5: false,
    detectsSilence: false,
    resetNamesConnection: false,
    refusals: refusalsOf2,
    httpV3: false,
  },
}

export const dialectNames = Object.keys(dialects) as readonly DialectName[]

export function dialectOf(name: DialectName): Dialect {
  return dialects[name]
}
