"""The doors out: the only code of Avow that opens connections to peers outside.

`https.HttpsChannel` posts JSON, `smtp.SmtpChannel` sends mail; both through verified TLS or not at all.
Every failure says what is known about what left: `Unreachable` (nothing), `Rejected` (the peer said no),
`OutcomeUnknown` (something may have). Each channel is imported where it is used.
"""
