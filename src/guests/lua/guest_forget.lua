--[[ guest_forget: delete all data of an ended guest except the name, which demo apps show next to the guest's messages, and the field
     `ended`.
     KEYS  user, sessions, details, presence, sends, marks, opened, blocked, invitations, inviting
     RETURNS  0 | 1; 0 if the guest has become an account ]]
local user, sessions, details, presence, sends, marks, opened, blocked, invitations, inviting = unpack(KEYS)

if redis.call('HGET', user, 'guest') ~= '1' then return 0 end
redis.call('HDEL', user, 'createdAt', 'until', 'claim', 'password')
redis.call('UNLINK', sessions, details, presence, sends, marks, opened, blocked, invitations, inviting)
return 1
