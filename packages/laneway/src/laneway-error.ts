import type { LanewayError } from '@laneway/core'

/** Whether it is an error of Laneway, of whichever copy of the package: registries are loaded as CommonJS. */
export function isLanewayError(error: unknown): error is LanewayError {
  const code = (error as { code?: unknown } | undefined)?.code
  return error instanceof Error && typeof code === 'string' && code.startsWith('LANEWAY_')
}
