-- Whether any session of an account was ever reconciled, also where a later word took it back.
select count() > 0 as ever
from core.sign_off_versions
where venue = {venue:String} and account = {account:String} and state = 'reconciled'
