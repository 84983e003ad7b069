import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import type { ConfigPushes } from './config/config-pushes.js'
import type { ConfigName, ConfigStore } from './config/config-store.js'
import type { Dialect } from './dialect.js'
import type { InstanceOverride, ServiceName } from './naming/instance.js'
import type { NamingPushes } from './naming/naming-pushes.js'
import type { NamingStore } from './naming/naming-store.js'
import type { TokenStore } from './requests/token-store.js'

interface HttpParts {
  readonly dialect: Dialect
  readonly tokens: TokenStore
  /** A fault may set the status of every login. */
  readonly login: { readonly status: number | undefined }
  readonly naming: NamingStore
  readonly config: ConfigStore
  readonly configPushes: ConfigPushes
  readonly namingPushes: NamingPushes
}

interface Reply {
  readonly status: number
  readonly body: object | string
}

type Route = (params: URLSearchParams) => Reply

/** Logins, health, an operator's edits and gray contents, and reading for curl. Everything else is gRPC. */
export function createHttpApi(parts: HttpParts): RequestListener {
  const { dialect, tokens, naming, config } = parts
  const routes = new Map<string, Route>()
  const only = (isThere: boolean, route: string, handle: Route): void => {
    if (isThere) routes.set(route, handle)
  }
  /** A route that needs a token when the server requires them. */
  const guarded =
    (action: 'read' | 'write', handle: Route): Route =>
    params => {
      const refusal = tokens.refusal(params.get('accessToken') ?? undefined, action)
      return refusal === undefined ? handle(params) : { status: 403, body: dialect.refusals[refusal] }
    }

  const logIn: Route = params => {
    const { status } = parts.login
    if (status !== undefined) return { status, body: { status, error: 'Internal Server Error' } }
    const login = tokens.login(params.get('username') ?? '', params.get('password') ?? '')
    return login === undefined ? { status: 403, body: 'user not found!' } : { status: 200, body: login }
  }
  const list = guarded('read', params => ({ status: 200, body: listBody(params) }))
  const listBody = (params: URLSearchParams): Readonly<Record<string, unknown>> => {
    const name = serviceNameOf(params)
    const healthyOnly = params.get('healthyOnly') === 'true'
    const info = naming.serviceInfo(name, { cluster: params.get('clusters') ?? '', healthyOnly })
    return { ...info, name: `${name.group}@@${name.service}` }
  }
  const editInstance = guarded('write', params => {
    const name = serviceNameOf(params)
    const address = {
      ip: params.get('ip') ?? '',
      port: Number(params.get('port')),
      clusterName: params.get('clusterName') ?? 'DEFAULT',
    }
    const edit = editOf(params)
    if (edit === undefined) return { status: 400, body: 'metadata must be a JSON object' }
    naming.override(name, address, edit)
    parts.namingPushes.schedule(name)
    return { status: 200, body: dialect.httpV3 ? done('ok') : 'ok' }
  })
  const editService = guarded('write', params => {
    // Causes no push; the next query shows it.
    naming.setProtectThreshold(serviceNameOf(params), Number(params.get('protectThreshold')))
    return { status: 200, body: dialect.httpV3 ? done('ok') : 'ok' }
  })
  const readConfig = (params: URLSearchParams, group: string): string | undefined =>
    config.get({
      dataId: params.get('dataId') ?? '',
      group,
      tenant: params.get('tenant') ?? params.get('namespaceId') ?? '',
    })?.content
  const up: Route = () => ({ status: 200, body: { status: 'UP' } })

  routes.set('POST /nacos/v1/auth/users/login', logIn)
  routes.set('POST /nacos/v1/auth/login', logIn)
  only(dialect.httpV3, 'POST /nacos/v3/auth/user/login', logIn)
  routes.set('GET /nacos/actuator/health', up)
  routes.set('GET /nacos/v1/ns/operator/metrics', up)
  routes.set('GET /nacos/v1/ns/instance/list', list)
  only(
    dialect.httpV3,
    'GET /nacos/v3/client/ns/instance/list',
    guarded('read', params => ({ status: 200, body: done(listBody(params)['hosts']) })),
  )
  routes.set(
    'GET /nacos/v1/cs/configs',
    guarded('read', params => {
      const content = readConfig(params, params.get('group') ?? '')
      return content === undefined ? { status: 404, body: 'config data not exist\n' } : { status: 200, body: content }
    }),
  )
  const configName = (params: URLSearchParams): ConfigName => ({
    dataId: params.get('dataId') ?? '',
    group: params.get('group') ?? '',
    tenant: params.get('tenant') ?? '',
  })
  routes.set(
    'POST /nacos/v1/cs/configs',
    guarded('write', params => {
      const name = configName(params)
      if (config.set(name, params.get('content') ?? '', 'text', params.get('tag') ?? ''))
        parts.configPushes.schedule(name)
      return { status: 200, body: 'true' }
    }),
  )
  routes.set(
    'DELETE /nacos/v1/cs/configs',
    guarded('write', params => {
      const name = configName(params)
      if (config.remove(name, params.get('tag') ?? '')) parts.configPushes.schedule(name)
      return { status: 200, body: 'true' }
    }),
  )
  only(
    dialect.httpV3,
    'GET /nacos/v3/client/cs/config',
    guarded('read', params => {
      const content = readConfig(params, params.get('groupName') ?? '')
      const missing = { code: 20_004, message: 'resource not found', data: null }
      return { status: 200, body: content === undefined ? missing : done({ content }) }
    }),
  )
  routes.set(dialect.httpV3 ? 'PUT /nacos/v3/admin/ns/instance' : 'PUT /nacos/v1/ns/instance', editInstance)
  routes.set(dialect.httpV3 ? 'PUT /nacos/v3/admin/ns/service' : 'PUT /nacos/v1/ns/service', editService)

  return function serveHttp(request, response) {
    const target = request.url ?? '/'
    const url = new URL(URL.canParse(target, 'http://localhost') ? target : '/', 'http://localhost')
    const route = routes.get(`${request.method} ${url.pathname}`)
    if (route === undefined) {
      request.resume()
      const isGone = dialect.httpV3 && url.pathname.startsWith('/nacos/v2/')
      const status = isGone ? 410 : 404
      send(response, { status, body: { status, error: isGone ? 'Gone' : 'Not Found', path: url.pathname } })
      return
    }
    readParams(request, url).then(
      params => send(response, route(params)),
      // The client went away while it was sending.
      () => response.destroy(),
    )
  }
}

function done(data: unknown): object {
  return { code: 0, message: 'success', data }
}

/** Undefined when the metadata cannot be read. */
function editOf(params: URLSearchParams): InstanceOverride | undefined {
  const weight = params.get('weight')
  const enabled = params.get('enabled')
  const text = params.get('metadata')
  const metadata = text === null ? undefined : parseMetadata(text)
  if (text !== null && metadata === undefined) return undefined
  return {
    ...(weight !== null && { weight: Number(weight) }),
    ...(enabled !== null && { enabled: enabled === 'true' }),
    ...(metadata !== undefined && { metadata }),
  }
}

function parseMetadata(text: string): Record<string, string> | undefined {
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined
    return Object.fromEntries(Object.entries(value).map(([key, entry]) => [key, String(entry)]))
  } catch {
    return undefined
  }
}

/** The service name may carry its group: `group@@service`. */
function serviceNameOf(params: URLSearchParams): ServiceName {
  const parts = (params.get('serviceName') ?? '').split('@@')
  const service = parts.at(-1) ?? ''
  const group = parts.length > 1 ? (parts[0] ?? '') : (params.get('groupName') ?? 'DEFAULT_GROUP')
  return { namespace: params.get('namespaceId') || 'public', group, service }
}

async function readParams(request: IncomingMessage, url: URL): Promise<URLSearchParams> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk)
  const params = new URLSearchParams(Buffer.concat(chunks).toString())
  for (const [key, value] of url.searchParams) params.set(key, value)
  return params
}

function send(response: ServerResponse, { status, body }: Reply): void {
  const isText = typeof body === 'string'
  response.writeHead(status, { 'content-type': isText ? 'text/plain;charset=UTF-8' : 'application/json' })
  response.end(isText ? body : JSON.stringify(body))
}
