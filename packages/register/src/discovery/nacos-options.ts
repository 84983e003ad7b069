import { LanewayError } from '@laneway/core'
import type { RegisterConfig } from '../config/config.js'
import { readPem } from '../config/read-pem.js'

/**
 * Options of the Nacos client.
 *
 * @throws LanewayError `LANEWAY_INVALID_OPTION` for a half login and files that cannot be read
 */
export function nacosClientOptions(config: RegisterConfig): object {
  const { nacos, nacosNamespace, nacosUsername, nacosPassword, service, tag } = config
  if ((nacosUsername === undefined) !== (nacosPassword === undefined)) {
    const missing = nacosUsername === undefined ? 'LANEWAY_NACOS_USERNAME' : 'LANEWAY_NACOS_PASSWORD (or _FILE)'
    throw new LanewayError('LANEWAY_INVALID_OPTION', `the login to Nacos needs ${missing}, too`)
  }
  return {
    servers: nacos,
    keepsProcess: false,
    tls: tlsOf(config),
    ...(nacosNamespace !== undefined && { namespace: nacosNamespace }),
    ...(nacosUsername !== undefined && { username: nacosUsername, password: nacosPassword }),
    ...(service !== undefined && { appName: service }),
    ...(tag !== undefined && { lane: tag }),
  }
}

function tlsOf({ nacosTls, nacosCaFile, nacosCertFile, nacosKeyFile }: RegisterConfig): object | boolean {
  const files = { ca: nacosCaFile, cert: nacosCertFile, key: nacosKeyFile }
  const given = Object.entries(files).filter((file): file is [string, string] => file[1] !== undefined)
  if (given.length === 0 || nacosTls === false) return nacosTls ?? false
  return Object.fromEntries(
    given.map(([name, file]) => [name, readPem(`LANEWAY_NACOS_${name.toUpperCase()}_FILE`, file)]),
  )
}
