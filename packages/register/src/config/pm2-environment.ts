/**
 * PM2's cluster mode hands a worker the environment of its app as one variable of JSON, and unfolds it after the preloads:
 * what concerns Laneway is unfolded now. Never throws.
 */
export function unfoldPm2Environment(env: NodeJS.ProcessEnv): void {
  const folded = env['pm2_env']
  if (folded === undefined) return
  let app: Record<string, unknown>
  try {
    app = Object(JSON.parse(folded)) as Record<string, unknown>
  } catch {
    return
  }
  for (const [name, value] of Object.entries(app)) {
    if (!name.startsWith('LANEWAY_') && name !== 'MSE_ALICLOUD_SERVICE_TAG') continue
    if (typeof value === 'string' || typeof value === 'number') env[name] = String(value)
  }
}
