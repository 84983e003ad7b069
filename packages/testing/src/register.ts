// node --import @laneway/testing/register: @laneway/register, which finds the services of fakeLanes() too.
import Module from 'node:module'
import { createTestSource } from './registered/test-source.js'

/** The file that this is part of, filled in when the package is built. */
declare const LANEWAY_FILE: string

createTestSource()
// Not an import: the bundle would run it first, and register reads the source when it starts.
Module.createRequire(LANEWAY_FILE)('@laneway/register')
