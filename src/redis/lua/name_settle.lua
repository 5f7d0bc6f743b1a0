--[[ name_settle: complete a claim of what a username looks like, or give it up.
     KEYS  looks
     ARGV  user, how (HOLD or RELEASE), claimed (JSON: the looks)
     gives 1, or 0 where one of them has become another's, and so none is held ]]
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
