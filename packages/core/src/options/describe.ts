/** A received value as a message shows it: short, on one line. */
export function describe(value: unknown): string {
  let text: string | undefined
  try {
    text = typeof value === 'string' || typeof value === 'object' ? JSON.stringify(value) : String(value)
  } catch {
    // Circular, or with a toJSON that throws.
  }
  text = (text ?? Object.prototype.toString.call(value)).replace(/\s+/g, ' ')
  return text.length > 80 ? `${text.slice(0, 77)}...` : text
}
