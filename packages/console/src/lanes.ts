export { type LanesDocument, type LanesHandler, type LanesHandlerOptions, lanesHandler } from '@laneway/core/internal'
