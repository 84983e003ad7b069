import { LanewayError } from '../errors.js'

/**
 * The error for a package that is not installed, with the line that installs it.
 *
 * @param name - the package that was loaded
 * @param wanted - what asked for it, for the message
 * @param cause - what `import` or `require` threw
 * @returns `undefined` when the package is there and failed for another reason
 */
export function missingPackage(name: string, wanted: string, cause: unknown): LanewayError | undefined {
  const found = absentPackage(cause)
  const { code } = Object(cause) as { code?: unknown }
  if (found === undefined && code !== 'MODULE_NOT_FOUND' && code !== 'ERR_MODULE_NOT_FOUND') return undefined
  // An installed package may itself lack one, a peer dependency for instance.
  const absent = found ?? name
  const also = absent === name ? '' : `, and that needs ${absent}`
  return new LanewayError('LANEWAY_INVALID_OPTION', `${wanted} needs ${name}${also}: npm install ${absent}`, { cause })
}

/**
 * The package that an error of `import` or `require` names as missing. Its message is read, because the code is lost where
 * module hooks run in a thread of their own.
 *
 * @returns `undefined` for other errors, and for a file that is missing
 */
export function absentPackage(error: unknown): string | undefined {
  const { message } = Object(error) as { message?: unknown }
  return /^Cannot find (?:module|package) '((?:@[^/']+\/)?[^/'.][^/']*)/.exec(String(message))?.[1]
}
