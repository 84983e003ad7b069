// Certificates and keys of a control plane that lives for one test run.
import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const NAMES = 'IP:127.0.0.1,DNS:localhost,DNS:kubernetes,DNS:kubernetes.default.svc'

/** Writes a CA, a server, an admin and a service account key into the folder; returns the admin's token. */
export function makeCertificates(folder) {
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const openssl = (...args) => execFileSync('openssl', args, { cwd: folder, stdio: ['ignore', 'ignore', 'pipe'] })
  const key = name => openssl('ecparam', '-name', 'prime256v1', '-genkey', '-noout', '-out', `${name}.key`)
  const issue = (name, subject, extensions) => {
    key(name)
    writeFileSync(join(folder, `${name}.ext`), extensions)
    openssl('req', '-new', '-key', `${name}.key`, '-subj', subject, '-out', `${name}.csr`)
    const signed = ['-CA', 'ca.crt', '-CAkey', 'ca.key', '-CAcreateserial', '-days', '30', '-extfile', `${name}.ext`]
    openssl('x509', '-req', '-in', `${name}.csr`, ...signed, '-out', `${name}.crt`)
  }
  key('ca')
  openssl('req', '-x509', '-new', '-key', 'ca.key', '-subj', '/CN=laneway-test', '-days', '30', '-out', 'ca.crt')
  issue('server', '/CN=kube-apiserver', `extendedKeyUsage=serverAuth\nsubjectAltName=${NAMES}\n`)
  issue('admin', '/O=system:masters/CN=admin', 'extendedKeyUsage=clientAuth\n')
  key('accounts')
  openssl('ec', '-in', 'accounts.key', '-pubout', '-out', 'accounts.pub')
  const token = randomBytes(24).toString('hex')
  writeFileSync(join(folder, 'tokens.csv'), `${token},admin-token,admin-token,"system:masters"\n`, { mode: 0o600 })
  return token
}
