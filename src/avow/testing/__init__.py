"""Peers for tests and for trying a service out on one machine. All of them are real: sockets, TLS, protocols.

    clock            FrozenClock
    certificates     Authority: a local certificate authority, with faulty certificates on request
    card_processor   CardProcessor: authorises and declines test cards over HTTPS
    carrier          Carrier: takes labels over HTTPS
    supplier         HttpsSupplier: takes orders over HTTPS
    supplier_sftp    SftpSupplier: takes orders as files over SFTP (needs `avow[testing]`)
    supplier_mail    MailSupplier: takes orders by mail (needs `avow[testing]`)
    mailbox          Mailbox: takes mail over SMTP with TLS (needs `avow[testing]`)
    canaries         values that occur nowhere else, and the search for them in whatever encoding
    visitor          Visitor: fills in the forms of a service that runs
    postgres         Server: a PostgreSQL of one's own, in a temporary folder
    peers            all of the above in one process, with a page that shows what arrived

Import what you need from its own module; this one loads nothing.
"""
