// closed.js is preloaded (node -r) for ilp-protocol-stream up to 2.7.1, and so for ilp-fetch's STREAM: their streams assign
// to `this.closed`, which since Node 18 is a getter without a setter, and not configurable. Streams made after this file
// was loaded inherit from a Duplex that has the setter; nothing of theirs is touched.
'use strict'
const stream = require('stream')

const { Duplex } = stream

// A plain function, because older modules call Duplex without `new`.
function AssignableDuplex (options) {
  if (!(this instanceof AssignableDuplex)) return new AssignableDuplex(options)
  Duplex.call(this, options)
}

Object.setPrototypeOf(AssignableDuplex, Duplex)
AssignableDuplex.prototype = Object.create(Duplex.prototype, {
  constructor: { value: AssignableDuplex, writable: true, configurable: true },
  closed: {
    get () { return Reflect.get(Duplex.prototype, 'closed', this) },
    set (value) { Object.defineProperty(this, 'closed', { value, writable: true, enumerable: true, configurable: true }) },
    configurable: true
  }
})

stream.Duplex = AssignableDuplex
