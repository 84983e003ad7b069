/**
 * An app's own logger: pino, Fastify's `app.log` and `request.log`, winston, `console`, or anything with such a `debug`.
 * pino and Fastify take `(fields, message)`, winston takes one object with `message`.
 */
export interface Logger {
  debug(...args: any[]): unknown
  warn?(...args: any[]): unknown
}
