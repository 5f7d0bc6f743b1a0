--[[ name_settle: complete or release a claim of a username's skeletons.
     KEYS  looks
     ARGV  user, how: "HOLD" | "RELEASE", claimed (JSON: the skeletons)
     RETURNS  0 | 1; 0 if another user has one of them now, so that none is held ]]
local looks = unpack(KEYS)
local user, how, claimed = unpack(ARGV)

claimed = cjson.decode(claimed)
local own = {}
for _, look in ipairs(claimed) do
  if string.match(redis.call('HGET', looks, look) or '', '^%d+') == user then own[#own + 1] = look end
end
if how == 'HOLD' and #own < #claimed then return 0 end
for _, look in ipairs(own) do
  if how == 'HOLD' then redis.call('HSET', looks, look, user) else redis.call('HDEL', looks, look) end
end
return 1
