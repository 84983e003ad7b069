/** Something that is wrong, with its fix. */
export interface Finding {
  /** `error`: it does not work so. `warning`: it works, and not as one would think. */
  readonly level: 'error' | 'warning'
  /** Which check found it. */
  readonly check: CheckName
  /** What was seen, in one sentence. */
  readonly problem: string
  /** What to do. */
  readonly fix: string
}

/** The checks, causes before effects. */
export const CHECKS = [
  'node',
  'settings',
  'packages',
  'undici',
  'preload',
  'opentelemetry',
  'rules',
  'control',
  'trust',
  'registry',
  'registration',
  'port',
  'services',
  'metadata',
] as const
export type CheckName = (typeof CHECKS)[number]

/** What a check reports: facts that are shown as they are, and findings. */
export interface CheckResult {
  readonly facts?: readonly string[]
  readonly findings?: readonly Omit<Finding, 'check'>[]
}

export const error = (problem: string, fix: string) => ({ level: 'error', problem, fix }) as const
export const warning = (problem: string, fix: string) => ({ level: 'warning', problem, fix }) as const
