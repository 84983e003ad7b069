import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseAllDocuments } from 'yaml'

/** Where the manifests of the walkthrough are. */
export const K8S = 'examples/end-to-end-canary/k8s'
export const PROFILES = ['mse-ingress', 'gateway-api', 'laneway-gateway'] as const
export type Profile = (typeof PROFILES)[number]

/** What is applied, and what is applied instead of parts of it. */
export const FOLDERS = PROFILES.flatMap(profile => [profile, `${profile}/one-batch`, `${profile}/half-of-requests`])

/** A document, and the file that has it. */
export interface Document {
  readonly file: string
  readonly object: any
}

/** All documents of a folder, as `kubectl apply -f` takes them: without the folders in it. */
export function documentsOf(folder: string): Document[] {
  const files = readdirSync(join(K8S, folder)).filter(name => name.endsWith('.yaml'))
  return files.flatMap(name => {
    const file = `${folder}/${name}`
    return parseAllDocuments(readFileSync(join(K8S, file), 'utf8')).map(document => {
      if (document.errors.length > 0) throw new Error(`${file}: ${document.errors[0]?.message}`)
      return { file, object: document.toJS() }
    })
  })
}

/** The one object of a kind and name in a folder. */
export function objectOf(folder: string, kind: string, name: string): any {
  const found = documentsOf(folder).filter(({ object }) => object.kind === kind && object.metadata.name === name)
  if (found.length !== 1) throw new Error(`${folder} has ${found.length} ${kind} ${name}`)
  return found[0]?.object
}
