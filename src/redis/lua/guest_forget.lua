--[[ guest_forget: take away everything of a guest who has ended but their name, which demo apps look for beside what they said,
     and the mark that says so.
     KEYS  user, sessions, details, presence, sends, marks, opened, blocked, invitations, inviting
     gives 1, or 0 where they have become an account ]]
local user, sessions, details, presence, sends, marks, opened, blocked, invitations, inviting = unpack(KEYS)

if redis.call('HGET', user, 'guest') ~= '1' then return 0 end
redis.call('HDEL', user, 'createdAt', 'until', 'claim', 'password')
redis.call('UNLINK', sessions, details, presence, sends, marks, opened, blocked, invitations, inviting)
return 1
